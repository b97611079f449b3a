//! What a table holds, leaf by leaf: from the catalog and the server's statistics, no row is read.

use std::fmt;

use sqlx::PgConnection;

use super::bytes::Bytes;
use super::leaf::Leaf;

/// What a table or a leaf of it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Rows, by the server's statistics.
    pub rows: u64,
    /// Bytes of the rows.
    pub table_bytes: u64,
    /// Bytes of the indexes.
    pub index_bytes: u64,
}

/// What a table holds, and each of its leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// All of it.
    pub whole: Size,
    /// Its leaves, by name; a plain table has none.
    pub leaves: Vec<(Leaf, Size)>,
    /// Rows that the job on its way has copied; none where there is no job.
    pub copied: Option<u64>,
}

impl Contents {
    /// Reads them. Asks for the view that the migration with the policy makes.
    ///
    /// # Errors
    /// When a query fails.
    pub async fn read(connection: &mut PgConnection, table: &str) -> Result<Self, sqlx::Error> {
        let rows = sqlx::query_file!("queries/contents.sql", table).fetch_all(&mut *connection).await?;
        let mut contents = Self::default();
        for row in rows {
            let size = Size {
                rows: row.rows.cast_unsigned(),
                table_bytes: row.table_bytes.cast_unsigned(),
                index_bytes: row.index_bytes.cast_unsigned(),
            };
            contents.whole = contents.whole + size;
            if let (Some(modulus), Some(remainder)) = (row.modulus, row.remainder) {
                contents.leaves.push((Leaf::new(modulus.cast_unsigned(), remainder.cast_unsigned()), size));
            }
        }
        let copied = sqlx::query_file_scalar!("queries/rows_copied.sql", table).fetch_optional(connection).await?;
        contents.copied = copied.map(i64::cast_unsigned);
        Ok(contents)
    }

    /// The leaf with the most rows.
    #[must_use]
    pub fn largest(&self) -> Option<&(Leaf, Size)> {
        self.leaves.iter().max_by_key(|(_, size)| (size.rows, size.bytes()))
    }

    /// The leaf with the fewest rows.
    #[must_use]
    pub fn smallest(&self) -> Option<&(Leaf, Size)> {
        self.leaves.iter().min_by_key(|(_, size)| (size.rows, size.bytes()))
    }
}

impl Size {
    /// Bytes in all.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.table_bytes + self.index_bytes
    }
}

impl std::ops::Add for Size {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            table_bytes: self.table_bytes + other.table_bytes,
            index_bytes: self.index_bytes + other.index_bytes,
        }
    }
}

/// `about 12000 rows, 16 MB and 9.1 MB of indexes`
impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, indexes) = (Bytes(self.table_bytes), Bytes(self.index_bytes));
        write!(formatter, "about {} rows, {table} and {indexes} of indexes", self.rows)
    }
}

/// What the table holds, its largest leaf and its smallest.
impl fmt::Display for Contents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.whole)?;
        for (which, found) in [("largest", self.largest()), ("smallest", self.smallest())] {
            if let Some((leaf, size)) = found {
                write!(formatter, "; {which} leaf {leaf}: about {} rows, {}", size.rows, Bytes(size.bytes()))?;
            }
        }
        match self.copied {
            Some(rows) => write!(formatter, "; {rows} rows copied so far"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_name_the_largest_leaf_and_the_smallest() {
        let size = |rows| Size { rows, table_bytes: rows * 1000, index_bytes: rows * 100 };
        let leaves = vec![(Leaf::new(2, 0), size(10)), (Leaf::new(2, 1), size(30))];
        let contents = Contents { whole: size(40), leaves, copied: Some(7) };
        assert_eq!(
            contents.to_string(),
            "about 40 rows, 40 kB and 4.0 kB of indexes; largest leaf 2/1: about 30 rows, 33 kB; \
             smallest leaf 2/0: about 10 rows, 11 kB; 7 rows copied so far"
        );
        let plain = Contents { whole: size(1), ..Contents::default() };
        assert_eq!(plain.to_string(), "about 1 rows, 1.0 kB and 0.1 kB of indexes");
    }
}
