//! How PostgreSQL and pgvector lay rows, keys and graphs out on pages of 8 kB.

/// A page.
pub(super) const PAGE: u64 = 8192;
/// Its header, and the pointer that each item on it has (`PageHeaderData`, `ItemIdData`).
const HEADER: u64 = 24;
const POINTER: u64 = 4;
/// What is on the last page of an index besides: that of B-trees (`BTPageOpaqueData`) and that of graphs (`HnswPageOpaqueData`).
const BTREE_END: u64 = 16;
const GRAPH_END: u64 = 8;
/// A row's header, without nulls (`HeapTupleHeaderData`).
const ROW: u64 = 24;
/// The header of a key in an index (`IndexTupleData`).
const KEY: u64 = 8;
/// Beside a table that has rows: the pages of its maps of free space and of what is visible to all.
const MAPS: u64 = 4;
/// How full the pages of a B-tree are that was built; one that grew by random keys is 70 % full.
const FILLED: (u64, u64) = (9, 10);
/// What a row takes in the list of a key that many have: six bytes and its share of the list's header.
const LISTED: u64 = 7;
/// What a row takes in an inverted index for each of its items: TIDs, each as the difference to the one before.
const POSTED: u64 = 2;

/// The columns of a row, in their order: how far they reach.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row(u64);

impl Row {
    /// A text or some bytes: up to 126 of them with a length of one byte before them.
    pub(super) fn text(self, bytes: u64) -> Self {
        if bytes <= 126 { Self(self.0 + 1 + bytes) } else { Self(self.0.next_multiple_of(4) + 4 + bytes) }
    }

    /// A vector with `STORAGE PLAIN`: so many bytes of numbers, its length, and how many there are.
    pub(super) fn vector(self, bytes: u64) -> Self {
        Self(self.0.next_multiple_of(4) + 8 + bytes)
    }

    /// An integer of four bytes.
    pub(super) fn integer(self) -> Self {
        Self(self.0.next_multiple_of(4) + 4)
    }

    /// One of eight bytes, or a time, or a float.
    pub(super) fn long(self) -> Self {
        Self(self.0.next_multiple_of(8) + 8)
    }

    /// A value of one byte.
    pub(super) fn byte(self) -> Self {
        Self(self.0 + 1)
    }

    /// A table of so many such rows.
    pub(super) fn table(self, rows: u64) -> u64 {
        let pages = rows.div_ceil(per_page(PAGE - HEADER, ROW + self.0));
        if pages > 0 { (pages + MAPS) * PAGE } else { 0 }
    }

    /// A B-tree of so many such keys, hardly one of them twice.
    pub(super) fn keys(self, rows: u64) -> u64 {
        let usable = (PAGE - HEADER - BTREE_END) * FILLED.0 / FILLED.1;
        let per_page = per_page(usable, KEY + self.0);
        let leaves = rows.div_ceil(per_page);
        // The pages above them, down from the root, and the one that says where that is.
        let above = if leaves > 1 { leaves.div_ceil(per_page) } else { 0 };
        (1 + leaves + above) * PAGE
    }
}

/// A B-tree of keys of which there are few, each of many rows.
pub(super) fn repeated_keys(rows: u64) -> u64 {
    (1 + (rows * LISTED).div_ceil(PAGE)) * PAGE
}

/// An inverted index of documents with so many keys each; one without is an item, too.
pub(super) fn documents(rows: u64, keys: u64) -> u64 {
    let items = rows * (2 * keys).max(1);
    (2 + (items * POSTED).div_ceil(PAGE)) * PAGE
}

/// An HNSW graph.
#[derive(Clone, Copy, Debug)]
pub(super) struct Graph {
    /// Bytes of a vector, with its header.
    pub(super) vector: u64,
    /// Neighbours on each layer, twice as many on the lowest.
    pub(super) m: u64,
}

impl Graph {
    /// Its pages: an element (`HnswElementTupleData`) and beside it its neighbours (`HnswNeighborTupleData`). Layers above the lowest
    /// hold one of `m` elements, and change little.
    pub(super) fn bytes(self, vectors: u64) -> u64 {
        let element = (72 + self.vector).next_multiple_of(8);
        let neighbours = (4 + 2 * self.m * 6).next_multiple_of(8);
        let per_page = (PAGE - HEADER - GRAPH_END) / (element + POINTER + neighbours + POINTER);
        (1 + vectors.div_ceil(per_page.max(1))) * PAGE
    }

    /// What it takes while it is built: an element with its vector (`HnswElementData`), and an array of neighbours (`HnswCandidate`).
    pub(super) fn memory(self, vectors: u64) -> u64 {
        vectors * (128 + 16 + 2 * self.m * 16 + self.vector.next_multiple_of(8))
    }
}

fn per_page(usable: u64, item: u64) -> u64 {
    (usable / (item.next_multiple_of(8) + POINTER)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_vectors_of_768_dimensions_fit_a_page_and_four_of_half_precision() {
        let whole = Graph { vector: 8 + 4 * 768, m: 16 };
        let half = Graph { vector: 8 + 2 * 768, m: 24 };
        let signs = Graph { vector: 8 + 768 / 8, m: 16 };
        assert_eq!([whole, half].map(|graph| graph.bytes(1000)), [501 * PAGE, 251 * PAGE]);
        assert_eq!(signs.bytes(21_000), 1001 * PAGE);
        assert_eq!(Row::default().text(10).vector(4 * 768).table(1000), 504 * PAGE);
        assert_eq!(Row::default().text(10).text(50).text(20).vector(2 * 768).table(1000), 254 * PAGE);
    }

    #[test]
    fn what_is_empty_has_the_page_that_says_so() {
        assert_eq!(Row::default().long().table(0), 0);
        assert_eq!(Row::default().long().keys(0), PAGE);
        assert_eq!(Graph { vector: 104, m: 16 }.bytes(0), PAGE);
    }
}
