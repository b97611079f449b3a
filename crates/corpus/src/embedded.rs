//! Vectors that a model has made, from a file of NumPy's and a list of what they stand for.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Seek as _};
use std::path::{Path, PathBuf};

use half::f16;
use npyz::{DType, NpyFile, NpyHeader, Order};
use sha2::{Digest as _, Sha256};

use crate::DIMENSIONS;
use crate::batch::VectorRow;
use crate::error::Error;
use crate::left_out::Reason;

/// Where a vector belongs: repository, path, and the bytes of the text, which are not stored.
type Name = (String, String, u64);

/// A file of vectors whose form is known to be right.
pub struct Embedded {
    vectors_file: PathBuf,
    header: NpyHeader,
    /// Where the header ends.
    numbers: BufReader<File>,
    names: Vec<Name>,
}

impl Embedded {
    /// Opens `vectors`, an npy file of `n × 768` half or single floats in C order, and `names`, a JSON list of `n` rows
    /// `[repository, path, bytes]`.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::NoNpy`], [`Error::Numbers`], [`Error::Shape`], [`Error::Rows`], [`Error::Count`].
    pub fn open(vectors: &Path, names: &Path) -> Result<Self, Error> {
        let (header, numbers) = open_numbers(vectors)?;
        let unread = |source| Error::File { file: names.to_owned(), source };
        let text = std::fs::read(names).map_err(unread)?;
        let list: Vec<Name> =
            serde_json::from_slice(&text).map_err(|source| Error::Rows { file: names.to_owned(), source })?;
        let (count, of_names) = (header.shape()[0], list.len() as u64);
        if count != of_names {
            let (vectors_file, names_file) = (vectors.to_owned(), names.to_owned());
            return Err(Error::Count { vectors_file, names_file, vectors: count, names: of_names });
        }
        Ok(Self { vectors_file: vectors.to_owned(), header, numbers, names: list })
    }

    /// How many vectors there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.names.len() as u64
    }

    /// The vectors in their order, or why one is left out.
    pub fn rows(self) -> impl Iterator<Item = Result<Result<VectorRow, Reason>, Error>> {
        let Self { vectors_file, header, numbers, names } = self;
        let mut numbers = singles(NpyFile::with_header(header, numbers));
        let mut known = HashSet::new();
        names.into_iter().map(move |(repository, path, _)| {
            let vector: Vec<f32> = numbers
                .by_ref()
                .take(DIMENSIONS)
                .collect::<io::Result<_>>()
                .map_err(|source| Error::File { file: vectors_file.clone(), source })?;
            let length: f64 = vector.iter().map(|value| f64::from(*value).powi(2)).sum();
            if repository.contains('\0') || path.contains('\0') {
                return Ok(Err(Reason::Name));
            }
            // So that loading it again changes nothing.
            if !known.insert((repository.clone(), path.clone())) {
                return Ok(Err(Reason::Twice));
            }
            if !length.is_finite() || length <= f64::from(f32::MIN_POSITIVE) {
                return Ok(Err(Reason::NoDirection));
            }
            let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
            Ok(Ok(VectorRow { repository, path, content_hash: Sha256::digest(bytes).into(), vector }))
        })
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = &self.vectors_file;
        formatter
            .debug_struct("Embedded")
            .field("vectors_file", file)
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

fn open_numbers(vectors: &Path) -> Result<(NpyHeader, BufReader<File>), Error> {
    let file = || vectors.to_owned();
    let unread = |source| Error::File { file: file(), source };
    let mut reader = BufReader::new(File::open(vectors).map_err(unread)?);
    let header = NpyHeader::from_reader(&mut reader).map_err(|source| Error::NoNpy { file: file(), source })?;
    let bytes = match header.dtype().descr().trim_matches('\'') {
        "<f2" | ">f2" => 2,
        "<f4" | ">f4" => 4,
        found => return Err(Error::Numbers { file: file(), found: found.to_owned() }),
    };
    let count = match (header.shape(), header.order()) {
        ([count, width], Order::C) if *width == DIMENSIONS as u64 => *count,
        (shape, order) => return Err(Error::Shape { file: file(), found: described(shape, order) }),
    };
    let wanted = count.saturating_mul(DIMENSIONS as u64 * bytes);
    let at = reader.stream_position().map_err(unread)?;
    if reader.get_ref().metadata().map_err(unread)?.len().saturating_sub(at) < wanted {
        let source = io::Error::new(io::ErrorKind::UnexpectedEof, format!("it ends before its {count} vectors do"));
        return Err(Error::NoNpy { file: file(), source });
    }
    Ok((header, reader))
}

fn described(shape: &[u64], order: Order) -> String {
    let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let order = if order == Order::C { "" } else { " in Fortran order" };
    format!("{} numbers{order}", if shape.is_empty() { "single".to_owned() } else { shape.join(" × ") })
}

/// All numbers, one after the other, whatever they are stored as.
fn singles(numbers: NpyFile<BufReader<File>>) -> Box<dyn Iterator<Item = io::Result<f32>> + Send> {
    let is_half = matches!(numbers.dtype(), DType::Plain(kind) if kind.size_field() == 2);
    let wrong = |error: npyz::DTypeError| io::Error::new(io::ErrorKind::InvalidData, error);
    if is_half {
        match numbers.data::<f16>() {
            Ok(numbers) => Box::new(numbers.map(|number| number.map(f32::from))),
            Err(error) => Box::new(std::iter::once(Err(wrong(error)))),
        }
    } else {
        match numbers.data::<f32>() {
            Ok(numbers) => Box::new(numbers),
            Err(error) => Box::new(std::iter::once(Err(wrong(error)))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use npyz::WriterBuilder as _;

    use super::*;

    struct Files {
        folder: tempfile::TempDir,
    }

    impl Files {
        fn new(vectors: &[u8], names: &str) -> Self {
            let files = Self { folder: tempfile::tempdir().unwrap() };
            fs::write(files.folder.path().join("a.npy"), vectors).unwrap();
            fs::write(files.folder.path().join("a.json"), names).unwrap();
            files
        }

        fn open(&self) -> Result<Embedded, Error> {
            Embedded::open(&self.folder.path().join("a.npy"), &self.folder.path().join("a.json"))
        }

        /// What is wrong, without the folder.
        fn error(&self) -> String {
            let error = self.open().unwrap_err();
            let causes = terminal::Failure::causes(&error);
            let text = [vec![error.to_string()], causes].concat().join("; ");
            text.replace(&format!("{}/", self.folder.path().display()), "")
        }
    }

    fn npy<T: npyz::AutoSerialize + Copy>(shape: &[u64], order: Order, numbers: &[T]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer =
            npyz::WriteOptions::new().default_dtype().shape(shape).order(order).writer(&mut bytes).begin_nd().unwrap();
        writer.extend(numbers.iter().copied()).unwrap();
        writer.finish().unwrap();
        bytes
    }

    const TWO: &str = r#"[["serde", "src/lib.rs#1", 12], ["tokio", "a.rs", 3]]"#;

    #[test]
    fn half_and_single_floats_are_read() {
        let singles: Vec<f32> = (0_u16..1536).map(|number| f32::from(number % 7) - 3.0).collect();
        let halves: Vec<f16> = singles.iter().map(|number| f16::from_f32(*number)).collect();
        let mut read = Vec::new();
        for vectors in [npy(&[2, 768], Order::C, &singles), npy(&[2, 768], Order::C, &halves)] {
            let embedded = Files::new(&vectors, TWO).open().unwrap();
            assert_eq!(embedded.count(), 2);
            read.push(embedded.rows().map(|row| row.unwrap().unwrap()).collect::<Vec<_>>());
        }
        assert_eq!(read[0], read[1]);
        let row = &read[0][1];
        assert_eq!((row.repository.as_str(), row.path.as_str()), ("tokio", "a.rs"));
        assert_eq!(row.vector, singles[768..]);
    }

    #[test]
    fn what_cannot_be_compared_or_told_apart_is_left_out() {
        let mut numbers = vec![1.0_f32; 5 * 768];
        numbers[768..1536].fill(0.0);
        numbers[1536] = f32::NAN;
        numbers[2304] = f32::INFINITY;
        let names = r#"[["a", "1", 1], ["a", "2", 1], ["a", "3", 1], ["a", "4", 1], ["a", "1", 1]]"#;
        let embedded = Files::new(&npy(&[5, 768], Order::C, &numbers), names).open().unwrap();
        let rows: Vec<Result<String, Reason>> = embedded.rows().map(|row| row.unwrap().map(|row| row.path)).collect();
        let none = Err(Reason::NoDirection);
        assert_eq!(rows, [Ok("1".to_owned()), none.clone(), none.clone(), none, Err(Reason::Twice)]);
    }

    #[test]
    fn a_file_of_another_form_is_refused_by_what_is_wrong() {
        let zeros = vec![0_f32; 1536];
        let error = |vectors: &[u8], names: &str| Files::new(vectors, names).error();
        let good = npy(&[2, 768], Order::C, &zeros);
        assert!(error(b"PK\x03\x04 a zip file", TWO).starts_with("`a.npy` is no npy file; "));
        assert!(error(b"", TWO).starts_with("`a.npy` is no npy file; "));
        assert_eq!(error(&good[..good.len() - 1], TWO), "`a.npy` is no npy file; it ends before its 2 vectors do");
        assert_eq!(
            error(&npy(&[2, 768], Order::C, &vec![0_f64; 1536]), TWO),
            "`a.npy` holds numbers of type `<f8`, not half or single floats"
        );
        let shape = |found| format!("`a.npy` holds {found}, not rows of 768 numbers in C order");
        assert_eq!(error(&npy(&[4, 384], Order::C, &zeros), TWO), shape("4 × 384 numbers"));
        assert_eq!(error(&npy(&[1536], Order::C, &zeros), TWO), shape("1536 numbers"));
        assert_eq!(error(&npy(&[2, 768], Order::Fortran, &zeros), TWO), shape("2 × 768 numbers in Fortran order"));
        assert_eq!(error(&good, r#"[["a", "b", 1]]"#), "`a.npy` holds 2 vectors, and `a.json` names 1");
        assert!(error(&good, r#"[["a", "b"]]"#).starts_with("`a.json` is no list of `[repository, path, bytes]`; "));
        assert!(error(&good, "{").starts_with("`a.json` is no list of `[repository, path, bytes]`; "));
        assert!(matches!(
            Embedded::open(Path::new("/nowhere.npy"), Path::new("/nowhere.json")),
            Err(Error::File { .. })
        ));
    }
}
