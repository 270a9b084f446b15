"""Attestations by implementations that are not modelhost's: in-toto-attestation for the
statements, securesystemslib for DSSE and keys, sigstore-models for bundles.

verify BUNDLES PUBLIC_KEY: parses and verifies each.
sign STATEMENTS PRIVATE_KEY BUNDLES FIRST: writes each anew, signs it; the first alone to FIRST.
"""

import json
import sys

from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner, SSlibKey
from sigstore_models.bundle.v1 import Bundle

TYPE = "application/vnd.in-toto+json"


def parsed(payload):
    """Parses a statement, and validates it as its format asks."""
    message = json_format.Parse(payload, statement_pb2.Statement())
    Statement.copy_from_pb(message).validate()
    return message


def verify(bundles, public):
    with open(public, "rb") as file:
        key = SSlibKey.from_crypto(load_pem_public_key(file.read()))
    count = 0
    with open(bundles) as file:
        for line in file:
            bundle = Bundle.from_json(line)
            assert bundle.verification_material.public_key.hint
            assert not bundle.verification_material.tlog_entries
            sealed = json.loads(line)["dsseEnvelope"]
            for signature in sealed["signatures"]:
                signature["keyid"] = key.keyid
            envelope = Envelope.from_dict(sealed)
            assert envelope.payload_type == TYPE
            assert key.keyid in envelope.verify([key], 1)
            message = parsed(envelope.payload)
            assert message.subject[0].name == "tree:bert", message.subject
            count += 1
    assert count == 2


def sign(statements, private, bundles, first):
    with open(private, "rb") as file:
        signer = CryptoSigner(load_pem_private_key(file.read(), None))
    written = []
    with open(statements) as file:
        for line in file:
            payload = json_format.MessageToJson(parsed(line.encode()), indent=1).encode()
            envelope = Envelope(payload, TYPE, {})
            envelope.sign(signer)
            sealed = envelope.to_dict()
            written.append(
                {
                    "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
                    "verificationMaterial": {"publicKey": {}, "tlogEntries": []},
                    "dsseEnvelope": sealed,
                }
            )
    with open(bundles, "w") as file:
        for bundle in written:
            file.write(json.dumps(bundle) + "\n")
    with open(first, "w") as file:
        json.dump(written[0], file)


if __name__ == "__main__":
    {"verify": verify, "sign": sign}[sys.argv[1]](*sys.argv[2:])
