//! Keys as COPY gives them, in its binary form: rows of one field, eight bytes.

/// Reads them from pieces, wherever these are cut.
#[derive(Debug, Default)]
pub(super) struct Copied {
    /// What the pieces before have left.
    rest: Vec<u8>,
    is_begun: bool,
    is_over: bool,
}

/// What it begins with; then a word of flags and the length of what is to be passed over, which is nothing.
const BEGINNING: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What stands before the key: one field, of eight bytes.
const FIELD: [u8; 6] = [0, 1, 0, 0, 0, 8];
const ROW: usize = FIELD.len() + 8;

/// A row with no number of fields.
const END: [u8; 2] = [0xff, 0xff];

impl Copied {
    /// How many keys a piece brings to its end; none: it is nothing that we have asked for.
    pub(super) fn take(&mut self, piece: &[u8], mut each: impl FnMut(u64)) -> Option<u64> {
        self.rest.extend(piece);
        let mut bytes = self.rest.as_slice();
        if !self.is_begun && bytes.len() >= BEGINNING.len() {
            bytes = bytes.strip_prefix(BEGINNING)?;
            self.is_begun = true;
        }
        let mut keys = 0;
        while self.is_begun && !bytes.is_empty() {
            if bytes.starts_with(&END) {
                self.is_over = true;
                bytes = &bytes[END.len()..];
            } else if let Some(row) = bytes.first_chunk::<ROW>() {
                if self.is_over {
                    return None;
                }
                let key = row.strip_prefix(&FIELD)?;
                each(u64::from_be_bytes(key.try_into().ok()?));
                keys += 1;
                bytes = &bytes[ROW..];
            } else {
                break;
            }
        }
        self.rest = bytes.to_vec();
        Some(keys)
    }

    /// Whether that was all.
    pub(super) fn is_whole(&self) -> bool {
        self.is_over && self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(keys: &[u64]) -> Vec<u8> {
        let rows = keys.iter().flat_map(|key| FIELD.into_iter().chain(key.to_be_bytes()));
        BEGINNING.iter().copied().chain(rows).chain(END).collect()
    }

    #[test]
    fn keys_are_read_wherever_the_pieces_are_cut() {
        let keys = [1, u64::MAX, 0xffff_0000_0000_0000, 7];
        let bytes = stream(&keys);
        for length in 1..=bytes.len() {
            let (mut copied, mut read) = (Copied::default(), Vec::new());
            let taken: u64 = bytes.chunks(length).map(|piece| copied.take(piece, |key| read.push(key)).unwrap()).sum();
            assert!(copied.is_whole() && taken == 4 && read == keys, "pieces of {length}: {read:?}");
        }
    }

    #[test]
    fn what_is_something_else_or_breaks_off_is_found_out() {
        let bytes = stream(&[1, 2]);
        let refused = |bytes: &[u8]| Copied::default().take(bytes, |_| ()).is_none();
        assert!(refused(b"PGCOPY is what it should be."));
        let mut other = bytes.clone();
        other[BEGINNING.len() + 5] = 4;
        assert!(refused(&other));
        assert!(refused(&[bytes.as_slice(), &bytes[BEGINNING.len()..]].concat()));
        let mut cut = Copied::default();
        assert_eq!(cut.take(&bytes[..bytes.len() - 2], |_| ()), Some(2));
        assert!(!cut.is_whole());
    }
}
