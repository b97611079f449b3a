//! A password that cannot be printed by accident.

use std::fmt;
use std::io;

/// A password. Its `Debug` form hides it and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// 64 characters of the URL-safe alphabet, so that six random bits are one character.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// 32 characters of six bits each: 192 bits.
const LENGTH: usize = 32;

impl Secret {
    /// Takes a password that already exists.
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// Makes a password of 192 random bits, in characters that need no escaping in a URL or in a password file.
    ///
    /// Fails when the operating system has no randomness to give.
    pub(crate) fn random() -> Result<Self, io::Error> {
        let mut bytes = [0_u8; LENGTH];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(Self(bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 64)])).collect()))
    }

    /// The password itself: for a connection, never for a message.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_passwords_are_long_url_safe_and_differ() {
        let one = Secret::random().unwrap();
        assert_eq!(one.expose().len(), 32);
        assert!(one.expose().bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_ne!(one, Secret::random().unwrap());
    }

    #[test]
    fn debug_hides_the_password() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "Secret(***)");
    }
}
