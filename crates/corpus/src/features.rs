//! A vector made of a text's words, by feature hashing (Weinberger and others, "Feature Hashing for Large Scale Multitask
//! Learning", 2009): each word adds its weight to one component, the sign given by the word too, so that words that meet
//! in a component cancel out on average.
//!
//! Nothing in it depends on the machine: no random state, no order of a hash table, and of the functions of floating-point
//! numbers only those that IEEE 754 rounds exactly.

use crate::DIMENSIONS;

/// The name that these vectors have as a model. Another way of making them needs another.
pub const MODEL: &str = "hashed-features-768";

/// Chars of the longest word that counts: what is longer is data.
const LONGEST: usize = 40;

/// The vector of a text, [`DIMENSIONS`] long and of unit length; none if the text has no word, or its words cancel out.
///
/// A word is a part of an identifier (`parse_url` and `ParseUrl` are both `parse` and `url`) and, where there are several
/// parts, the identifier as well. It counts with the square root of how often it occurs.
#[must_use]
pub fn vector(text: &str) -> Option<Vec<f32>> {
    let mut hashes = Vec::new();
    let is_of_word = |c: char| c.is_alphanumeric() || c == '_';
    for identifier in text.split(|c: char| !is_of_word(c)) {
        let before = hashes.len();
        parts(identifier, |part| hashes.push(hash(part)));
        if hashes.len() - before > 1 {
            let whole = hashes[before..].iter().fold(0, |whole, part| mixed(whole ^ part));
            hashes.push(whole);
        }
    }
    // In order of the hashes, so that the sums are the same everywhere.
    hashes.sort_unstable();
    let mut vector = vec![0_f32; DIMENSIONS];
    for same in hashes.chunk_by(|one, other| one == other) {
        let count = u16::try_from(same.len()).unwrap_or(u16::MAX);
        let weight = f32::from(count).sqrt();
        let (component, is_negative) = place(same[0]);
        vector[component] += if is_negative { -weight } else { weight };
    }
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length < f32::EPSILON {
        return None;
    }
    for value in &mut vector {
        *value /= length;
    }
    Some(vector)
}

/// The component of a hash, and its sign.
fn place(hash: u64) -> (usize, bool) {
    let component = usize::try_from((hash >> 1) % DIMENSIONS as u64).unwrap_or_default();
    (component, hash & 1 == 1)
}

/// The parts of an identifier, in lower case, at each change of case and each underscore. What begins with a digit is none.
fn parts(identifier: &str, mut each: impl FnMut(&str)) {
    let mut part = String::new();
    let mut chars = identifier.chars().peekable();
    let mut previous: Option<char> = None;
    while let Some(c) = chars.next() {
        // `HTTPServer` is `http` and `server`.
        let begins = c.is_uppercase()
            && (previous.is_some_and(|it| !it.is_uppercase()) || chars.peek().is_some_and(|it| it.is_lowercase()));
        if c == '_' || begins {
            take(&mut part, &mut each);
        }
        if c != '_' {
            part.extend(c.to_lowercase());
        }
        previous = Some(c);
    }
    take(&mut part, &mut each);
}

fn take(part: &mut String, each: &mut impl FnMut(&str)) {
    if part.starts_with(char::is_alphabetic) && part.chars().count() <= LONGEST {
        each(part);
    }
    part.clear();
}

/// FNV-1a with 64 bits, whose low bits are mixed.
fn hash(word: &str) -> u64 {
    let fnv = word
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    mixed(fnv)
}

/// The end of splitmix64.
fn mixed(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    fn words(identifier: &str) -> Vec<String> {
        let mut words = Vec::new();
        parts(identifier, |part| words.push(part.to_owned()));
        words
    }

    fn cosine(one: &str, other: &str) -> f32 {
        vector(one).unwrap().iter().zip(vector(other).unwrap()).map(|(one, other)| one * other).sum()
    }

    #[test]
    fn identifiers_are_split_at_case_and_underscores() {
        assert_eq!(words("parse_HTTPServerUrl2"), ["parse", "http", "server", "url2"]);
        assert_eq!(words("__x__"), ["x"]);
        assert_eq!(words("0xFF"), ["ff"]);
        assert_eq!(words("Größe"), ["größe"]);
        assert!(words("1234").is_empty() && words(&"a".repeat(LONGEST + 1)).is_empty());
    }

    #[test]
    fn a_vector_has_unit_length_and_similar_texts_are_close() {
        let text = "fn connect(url: &DatabaseUrl) -> Result<PgConnection, ConnectError>";
        let length: f32 = vector(text).unwrap().iter().map(|value| value * value).sum();
        assert!((length - 1.0).abs() < 1e-5, "{length}");
        let near = cosine(text, "async fn connect(url: &ServerUrl) -> Result<PgConnection, Error>");
        let far = cosine(text, "SELECT count(*) FROM embeddings GROUP BY model");
        assert!(near > 0.6 && far < 0.3, "{near} {far}");
    }

    #[test]
    fn a_text_without_a_word_has_no_vector() {
        for text in ["", "  \n", "{}();", "123 0.5", "____"] {
            assert_eq!(vector(text), None, "{text:?}");
        }
    }

    #[test]
    fn words_that_cancel_out_make_no_vector() {
        let name = |number: u32| format!("a{number}");
        let (of_first, is_negative) = place(hash("a0"));
        let opposite = (1..100_000).map(name).find(|word| place(hash(word)) == (of_first, !is_negative)).unwrap();
        assert_eq!(vector(&format!("a0 {opposite}")), None);
    }

    #[test]
    fn a_vector_is_the_same_on_every_machine() {
        let bytes = |text| vector(text).unwrap().into_iter().flat_map(f32::to_le_bytes).collect::<Vec<u8>>();
        let text = "fn main() { println!(\"{}\", parse_url(ParseUrl::new(std::env::args()))); } // größer, größer";
        let digest = Sha256::digest(bytes(text));
        assert_eq!(digest[..8], 0x7aab_2aca_2641_76d6_u64.to_be_bytes());
    }
}
