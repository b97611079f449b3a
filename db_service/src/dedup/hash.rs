//! The hash of a content.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// SHA-256 of a content, as `code_files.content_hash` and `embeddings.content_hash` have it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 32]);

/// Something that is no SHA-256, since it has so many bytes and not 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash of a content has 32 bytes, and one of {0} was given")]
pub struct WrongLength(pub usize);

impl ContentHash {
    /// Of a content.
    #[must_use]
    pub fn of(content: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(content).into())
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What the filter knows of it: the first eight bytes, as `db_service.log_content_keys()` and the build take them.
    pub(super) fn key(&self) -> u64 {
        u64::from_be_bytes(self.0.as_chunks().0[0])
    }
}

impl From<[u8; 32]> for ContentHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for ContentHash {
    type Error = WrongLength;

    fn try_from(bytes: &[u8]) -> Result<Self, WrongLength> {
        bytes.try_into().map(Self).map_err(|_| WrongLength(bytes.len()))
    }
}

impl AsRef<[u8]> for ContentHash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// In hexadecimal.
impl fmt::Display for ContentHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ContentHash({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sha_256_and_its_key_is_how_it_begins() {
        let hash = ContentHash::of("abc");
        assert_eq!(hash.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hash.key(), 0xba78_16bf_8f01_cfea);
    }

    #[test]
    fn digits_are_no_hash() {
        let hash = ContentHash::of("abc");
        assert_eq!(ContentHash::try_from(hash.as_ref()), Ok(hash));
        assert_eq!(ContentHash::try_from(hash.to_string().as_bytes()), Err(WrongLength(64)));
    }
}
