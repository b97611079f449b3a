//! Rows as `COPY … (FORMAT binary)` takes them: "Binary Format" in PostgreSQL's manual of `COPY`.

/// Rows, one after the other.
#[derive(Debug)]
pub(crate) struct CopyRows(Vec<u8>);

impl CopyRows {
    pub(crate) fn new() -> Self {
        let mut bytes = b"PGCOPY\n\xff\r\n\0".to_vec();
        // Neither flags nor an extension of the header.
        bytes.extend([0; 8]);
        Self(bytes)
    }

    /// The next row has so many columns, which are given from left to right.
    pub(crate) fn row(&mut self, columns: i16) {
        self.0.extend(columns.to_be_bytes());
    }

    /// A `text`, or a `bytea`; none is NULL.
    pub(crate) fn value(&mut self, value: Option<&[u8]>) {
        let length = value.map_or(-1, |value| length(value.len()));
        self.0.extend(length.to_be_bytes());
        self.0.extend(value.unwrap_or_default());
    }

    /// An `integer`.
    pub(crate) fn integer(&mut self, value: i32) {
        self.value(Some(&value.to_be_bytes()));
    }

    /// A `vector` of pgvector's, as its `vector_recv` reads it.
    pub(crate) fn vector(&mut self, values: &[f32]) {
        self.0.extend(length(4 + size_of_val(values)).to_be_bytes());
        self.0.extend(u16::try_from(values.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.0.extend([0; 2]);
        self.0.extend(values.iter().flat_map(|value| value.to_be_bytes()));
    }

    /// All of it.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.0.extend((-1_i16).to_be_bytes());
        self.0
    }
}

/// What is too long for the format is too long for a column: the server says so.
fn length(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_as_the_manual_says() {
        let mut rows = CopyRows::new();
        rows.row(4);
        rows.value(Some(b"ab"));
        rows.value(None);
        rows.integer(258);
        rows.vector(&[1.0]);
        let expected: &[&[u8]] = &[
            b"PGCOPY\n\xff\r\n\0",
            &[0; 8],
            &[0, 4],
            &[0, 0, 0, 2, b'a', b'b'],
            &[255; 4],
            &[0, 0, 0, 4, 0, 0, 1, 2],
            &[0, 0, 0, 8, 0, 1, 0, 0, 0x3f, 0x80, 0, 0],
            &[255; 2],
        ];
        assert_eq!(rows.finish(), expected.concat());
    }
}
