//! Proofs that an entry is in a log: the path of digests from a leaf of a Merkle tree
//! to its root (RFC 9162, section 2.1.3).
//!
//! It leaves to others: who vouches for the root.

use sha2::{Digest as _, Sha256};

/// A digest of a node of the tree.
pub type Node = [u8; 32];

/// The longest proof: a tree has fewer than 2^63 leaves.
pub const MAX_PROOF: usize = 63;

/// Computes the digest of a leaf that holds `entry`.
pub fn leaf(entry: &[u8]) -> Node {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

fn node(left: &Node, right: &Node) -> Node {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// Computes the root of a tree of `size` leaves whose leaf `index` is `leaf`, from the
/// digests along the way. None where they are not those of such a place.
pub fn root(leaf: Node, index: u64, size: u64, proof: &[Node]) -> Option<Node> {
    let mut last = size.checked_sub(1).filter(|last| index <= *last)?;
    let mut index = index;
    let mut root = leaf;
    for sibling in proof {
        if last == 0 {
            return None;
        }
        if index & 1 == 1 || index == last {
            root = node(sibling, &root);
            // Where the node is the last one of its level, levels without a sibling
            // are skipped.
            while index & 1 == 0 && index != 0 {
                index >>= 1;
                last >>= 1;
            }
        } else {
            root = node(&root, sibling);
        }
        index >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}

#[cfg(test)]
pub(crate) mod forge {
    //! Makes trees for tests.

    use super::{Node, node};

    /// Returns the root of a tree, and the proof of the leaf at `index`.
    pub(crate) fn tree(leaves: &[Node], index: usize) -> (Node, Vec<Node>) {
        if let [leaf] = leaves {
            return (*leaf, vec![]);
        }
        let half = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(half);
        let (root, mut proof, sibling) = if index < half {
            let (own, proof) = tree(left, index);
            let other = tree(right, 0).0;
            (node(&own, &other), proof, other)
        } else {
            let (own, proof) = tree(right, index - half);
            let other = tree(left, 0).0;
            (node(&other, &own), proof, other)
        };
        proof.push(sibling);
        (root, proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_leaf_of_small_trees_is_proved_at_its_place_and_no_other() {
        for size in 1..=17u64 {
            let leaves: Vec<_> = (0..size).map(|at| leaf(&at.to_be_bytes())).collect();
            for index in 0..size {
                let at = usize::try_from(index).expect("small");
                let (expected, proof) = forge::tree(&leaves, at);
                assert_eq!(root(leaves[at], index, size, &proof), Some(expected), "{index}/{size}");
                for other in (0..size).filter(|other| *other != index) {
                    assert_ne!(root(leaves[at], other, size, &proof), Some(expected));
                }
                assert_eq!(root(leaves[at], size, size, &proof), None);
                let longer = [&proof[..], &[expected]].concat();
                assert_eq!(root(leaves[at], index, size, &longer), None);
                if let Some((_, shorter)) = proof.split_last() {
                    assert_eq!(root(leaves[at], index, size, shorter), None);
                }
                for step in 0..proof.len() {
                    let mut flipped = proof.clone();
                    flipped[step][0] ^= 1;
                    assert_ne!(root(leaves[at], index, size, &flipped), Some(expected));
                }
            }
        }
    }

    #[test]
    fn odd_places() {
        let one = leaf(b"x");
        assert_eq!(root(one, 0, 0, &[]), None);
        assert_eq!(root(one, 0, 1, &[]), Some(one));
        assert_eq!(root(one, u64::MAX, u64::MAX, &[one; 64]), None);
        assert_eq!(root(one, 1, 1, &[]), None);
        // A node is not taken for a leaf.
        assert_ne!(leaf(&[one, one].concat()), node(&one, &one));
    }
}
