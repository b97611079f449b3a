//! Short names derived from content.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The first 12 hexadecimal digits of the SHA-256 of `bytes`: enough to tell projects and images apart, short
/// enough for a socket path.
pub(crate) fn short(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().take(6).fold(String::new(), |mut text, byte| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_beginning_of_sha256() {
        assert_eq!(short(b""), "e3b0c44298fc");
        assert_eq!(short(b"abc"), "ba7816bf8f01");
    }
}
