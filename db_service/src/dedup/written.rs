//! How a filter is written down: a head, the bits, and a checksum over both; cut into pieces.
//!
//! | Bytes | Holds |
//! |---|---|
//! | 8 | `SNGLBLOM` |
//! | 4 | the form of the rest, [`FORM`] |
//! | 4 | hashes for each key |
//! | 8 | what the hash does to some keys |
//! | 8 | 64-bit words that follow the head |
//! | 8 | keys that it has room for |
//! | 8 | keys that it has |
//! | 16 | the epoch |
//! | 32 | SHA-256 of all of the above, and of the words |
//! | 8 each | the words |
//!
//! Numbers are little-endian.

use sha2::{Digest as _, Sha256};

use super::bloom::{Bloom, rules};
use super::damage::Damage;

/// Which build it is; the database says the same of it.
pub(crate) type Epoch = [u8; 16];

const MAGIC: &[u8; 8] = b"SNGLBLOM";

/// Another number, whenever something here has another meaning.
const FORM: u32 = 1;

/// What stands before the checksum, and before the words.
const SUMMED: usize = 64;
const HEAD: usize = SUMMED + 32;

/// Of one row.
const PIECE: usize = 4 << 20;

/// Whatever it says, it is no filter of ours that has more.
const MOST_HASHES: u32 = 64;

/// In pieces, in order.
pub(super) fn write(bloom: &Bloom, epoch: &Epoch) -> Vec<Vec<u8>> {
    let words = bloom.words();
    let mut bytes = Vec::with_capacity(HEAD + 8 * words.len());
    bytes.extend(MAGIC);
    bytes.extend(FORM.to_le_bytes());
    bytes.extend(bloom.hashes().to_le_bytes());
    bytes.extend(rules());
    for number in [words.len() as u64, bloom.capacity(), bloom.keys()] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(epoch);
    bytes.extend([0; HEAD - SUMMED]);
    words.for_each(|word| bytes.extend(word.to_le_bytes()));
    let sum = checksum(&bytes);
    bytes[SUMMED..HEAD].copy_from_slice(&sum);
    bytes.chunks(PIECE).map(<[u8]>::to_vec).collect()
}

/// All that is wrong with what is read is found here, before anything is asked of it.
pub(super) fn read(pieces: &[Vec<u8>], epoch: &Epoch) -> Result<Bloom, Damage> {
    let bytes = pieces.concat();
    let length = |wanted: u64| Damage::Length { found: bytes.len() as u64, wanted };
    if !bytes.starts_with(MAGIC) {
        return Err(Damage::Foreign);
    }
    // The form first: all else is where this one has it.
    let form = array(&bytes, 8).map(u32::from_le_bytes).ok_or(length(HEAD as u64))?;
    if form > FORM {
        return Err(Damage::Newer(form));
    }
    let head = bytes.get(..HEAD).ok_or(length(HEAD as u64))?;
    let number = |at| array(head, at).map(u64::from_le_bytes).unwrap_or_default();
    let (hashes, words) = (array(head, 12).map(u32::from_le_bytes).unwrap_or_default(), number(24));
    let wanted = words.saturating_mul(8).saturating_add(HEAD as u64);
    if bytes.len() as u64 != wanted {
        return Err(length(wanted));
    }
    if array(head, SUMMED) != Some(checksum(&bytes)) {
        return Err(Damage::Checksum);
    }
    if form != FORM || words == 0 || !(1..=MOST_HASHES).contains(&hashes) {
        return Err(Damage::Foreign);
    }
    if array(head, 16) != Some(rules()) {
        return Err(Damage::OtherHash);
    }
    if array(head, 48).as_ref() != Some(epoch) {
        return Err(Damage::OtherEpoch);
    }
    let words = bytes[HEAD..].as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect();
    Ok(Bloom::of_words(words, hashes, number(32), number(40)))
}

fn array<const LENGTH: usize>(bytes: &[u8], at: usize) -> Option<[u8; LENGTH]> {
    bytes.get(at..at + LENGTH)?.try_into().ok()
}

fn checksum(bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(&bytes[..SUMMED]);
    hash.update(&bytes[HEAD..]);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dedup::bloom::made_up;

    const EPOCH: Epoch = *b"0123456789abcdef";

    fn filled() -> Bloom {
        let bloom = Bloom::with_room_for(4_000_000);
        made_up().take(1000).for_each(|key| bloom.insert(key));
        bloom
    }

    /// A piece that was changed, and has the checksum that belongs to that.
    fn summed(change: impl FnOnce(&mut Vec<u8>)) -> Vec<Vec<u8>> {
        let mut bytes = write(&filled(), &EPOCH).concat();
        change(&mut bytes);
        let sum = checksum(&bytes);
        bytes[SUMMED..HEAD].copy_from_slice(&sum);
        vec![bytes]
    }

    #[test]
    fn what_is_written_is_read_again() {
        let bloom = filled();
        let pieces = write(&bloom, &EPOCH);
        assert_eq!(pieces.len(), 2);
        let again = read(&pieces, &EPOCH).unwrap();
        assert!(bloom.words().eq(again.words()));
        assert_eq!((again.capacity(), again.keys(), again.hashes()), (4_000_000, bloom.keys(), bloom.hashes()));
        assert!(made_up().take(1000).all(|key| again.may_hold(key)));
    }

    #[test]
    fn whatever_is_not_what_was_written_is_found_out() {
        let pieces = write(&filled(), &EPOCH);
        let changed = |change: fn(&mut Vec<Vec<u8>>)| {
            let mut pieces = pieces.clone();
            change(&mut pieces);
            read(&pieces, &EPOCH).unwrap_err()
        };
        assert_eq!(changed(Vec::clear), Damage::Foreign);
        assert_eq!(changed(|it| it.reverse()), Damage::Foreign);
        assert_eq!(changed(|it| it[0][3] ^= 1), Damage::Foreign);
        let wanted = pieces.concat().len() as u64;
        assert_eq!(changed(|it| it.truncate(1)), Damage::Length { found: PIECE as u64, wanted });
        assert_eq!(changed(|it| assert!(it[1].pop().is_some())), Damage::Length { found: wanted - 1, wanted });
        assert_eq!(changed(|it| it[1].push(0)), Damage::Length { found: wanted + 1, wanted });
        for length in [8, 9, 12, HEAD - 1] {
            let short = read(&[pieces[0][..length].to_vec()], &EPOCH).unwrap_err();
            assert_eq!(short, Damage::Length { found: length as u64, wanted: HEAD as u64 });
        }
        // A number that says how long it is, as large as it can be.
        assert!(matches!(changed(|it| it[0][24..32].fill(0xff)), Damage::Length { wanted: u64::MAX, .. }));
        for place in [(0, 12), (0, 16), (0, 32), (0, 40), (0, 48), (0, SUMMED), (0, HEAD), (1, 77)] {
            let mut pieces = pieces.clone();
            pieces[place.0][place.1] ^= 4;
            assert_eq!(read(&pieces, &EPOCH).unwrap_err(), Damage::Checksum, "{place:?}");
        }
    }

    #[test]
    fn what_others_have_written_is_not_taken_for_ours() {
        let of = |change: fn(&mut Vec<u8>)| read(&summed(change), &EPOCH).unwrap_err();
        assert_eq!(of(|bytes| bytes[8] = 2), Damage::Newer(2));
        assert_eq!(of(|bytes| bytes[8] = 0), Damage::Foreign);
        assert_eq!(of(|bytes| bytes[16] ^= 1), Damage::OtherHash);
        assert_eq!(of(|bytes| bytes[48] ^= 1), Damage::OtherEpoch);
        assert_eq!(of(|bytes| bytes[12..16].fill(0)), Damage::Foreign);
        assert_eq!(of(|bytes| bytes[12..16].fill(0xff)), Damage::Foreign);
        let empty = |bytes: &mut Vec<u8>| {
            bytes[24..32].fill(0);
            bytes.truncate(HEAD);
        };
        assert_eq!(of(empty), Damage::Foreign);
    }
}
