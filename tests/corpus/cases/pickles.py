"""Raw pickles."""


def cases():
    """Return every case of this group: path -> bytes."""
    return {"pickle/stop_only_none.pkl": b"\x80\x04N."}
