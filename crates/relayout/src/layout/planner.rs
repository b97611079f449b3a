//! Which leaf to split, and how: from sizes to leaves, without a database.
//!
//! A leaf is split when it holds more than twice what it should, so that the parts of a split are not split again soon, and
//! nothing is merged by itself: sizes that go up and down do not move rows to and fro. Splits are by powers of two, because
//! every modulus has to be a factor of the next larger one. A repository cannot be divided by the hash of its name, so the
//! largest one is the floor of what splitting achieves.

use super::leaf::Leaf;

/// How large leaves should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Rows that a leaf should hold.
    pub leaf_rows: u64,
    /// Leaves that a table may have.
    pub most_leaves: usize,
}

impl Policy {
    /// Of a table that has none: it is not split by itself.
    pub(crate) const NONE: Self = Self { leaf_rows: u64::MAX / 2, most_leaves: 64 };

    /// Rows that a leaf may hold.
    #[must_use]
    pub fn most_rows(self) -> u64 {
        2 * self.leaf_rows
    }
}

/// What one partition key brings to a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Its name.
    pub name: String,
    /// Its partition hash, from which the server computes the remainder.
    pub hash: u64,
    /// Its rows.
    pub rows: u64,
}

/// What to do with a leaf.
#[derive(Clone, Debug, PartialEq)]
pub enum Advice {
    /// It is as large as it may be.
    Fine,
    /// Splitting it by the hash of the repository helps.
    Split(Vec<Leaf>),
    /// One repository is nearly all of it: only its paths divide it.
    ByPath {
        /// Which.
        repository: String,
        /// Its share of the leaf, from 0 to 1.
        share: f64,
        /// The leaf, split by path.
        leaf: Leaf,
    },
    /// The table has as many leaves as it may.
    Full,
}

/// A repository with this share of a leaf makes splitting by repository useless.
pub const GIANT: f64 = 0.6;
/// Most parts by path.
const MOST_PARTS: u32 = 64;

/// What to do with one of `leaves` leaves that holds these repositories. `forced` splits it whatever its size.
///
/// The parts chosen are the fewest of which none holds more than the policy says. Where no number of parts reaches that,
/// those that come within a tenth of the best.
#[must_use]
pub fn advise(policy: Policy, leaves: usize, leaf: Leaf, repositories: &[Repository], forced: bool) -> Advice {
    let rows: u64 = repositories.iter().map(|repository| repository.rows).sum();
    if leaf.paths > 1 || rows == 0 || (!forced && rows <= policy.most_rows()) {
        return Advice::Fine;
    }
    let Some(largest) = repositories.iter().max_by_key(|repository| repository.rows) else { return Advice::Fine };
    let share = share(largest.rows, rows);
    let by_path = || Advice::ByPath {
        repository: largest.name.clone(),
        share,
        leaf: Leaf { paths: parts_by_path(rows, policy.leaf_rows), ..leaf },
    };
    if share >= GIANT {
        return by_path();
    }
    let room = (policy.most_leaves + 1).saturating_sub(leaves);
    let candidates: Vec<(Vec<Leaf>, u64)> = std::iter::successors(Some(2_u32), |count| count.checked_mul(2))
        .take_while(|count| *count as usize <= room && leaf.modulus.checked_mul(*count).is_some_and(|it| it <= 4096))
        .map(|count| {
            let parts = leaf.split(count);
            let largest = parts.iter().map(|part| rows_in(*part, repositories)).max().unwrap_or(0);
            (parts, largest)
        })
        .collect();
    let Some(best) = candidates.iter().map(|(_, largest)| *largest).min() else { return Advice::Full };
    if best == rows {
        return by_path();
    }
    let enough = policy.leaf_rows.max(best + best / 10);
    // One that leaves all rows together is none, however close to the best it comes.
    let chosen = candidates.into_iter().find(|(_, largest)| *largest <= enough && *largest < rows);
    chosen.map_or(Advice::Full, |(parts, _)| Advice::Split(parts))
}

fn rows_in(leaf: Leaf, repositories: &[Repository]) -> u64 {
    repositories.iter().filter(|repository| leaf.takes(repository.hash)).map(|repository| repository.rows).sum()
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

fn parts_by_path(rows: u64, leaf_rows: u64) -> u32 {
    let parts = rows.div_ceil(leaf_rows.max(1)).clamp(2, u64::from(MOST_PARTS));
    u32::try_from(parts).unwrap_or(MOST_PARTS).next_power_of_two().min(MOST_PARTS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: Policy = Policy { leaf_rows: 100, most_leaves: 64 };

    fn repositories(sizes: &[(u64, u64)]) -> Vec<Repository> {
        let named = |(hash, rows): &(u64, u64)| Repository { name: format!("r{hash}"), hash: *hash, rows: *rows };
        sizes.iter().map(named).collect()
    }

    #[test]
    fn a_leaf_within_twice_its_target_stays() {
        let advice = advise(POLICY, 16, Leaf::new(16, 0), &repositories(&[(0, 100), (16, 100)]), false);
        assert_eq!(advice, Advice::Fine);
    }

    #[test]
    fn a_hot_leaf_is_split_as_far_as_its_repositories_allow() {
        // 0 and 32 part at modulus 64 only.
        let advice = advise(POLICY, 16, Leaf::new(16, 0), &repositories(&[(0, 110), (16, 90), (32, 110)]), false);
        assert_eq!(advice, Advice::Split(Leaf::new(16, 0).split(4)));
    }

    #[test]
    fn a_giant_is_split_by_path() {
        let leaf = Leaf::new(16, 3);
        let advice = advise(POLICY, 16, leaf, &repositories(&[(3, 700), (19, 100)]), false);
        let expected = Advice::ByPath { repository: "r3".into(), share: 0.875, leaf: Leaf { paths: 8, ..leaf } };
        assert_eq!(advice, expected);
    }

    #[test]
    fn a_split_that_leaves_all_rows_together_is_not_chosen() {
        // The first two are together in one half, 471 rows; only the third is ever parted from them in two or four.
        let together = [(0, 198), (1 << 20, 272), (4, 1)];
        let advice = advise(POLICY, 2, Leaf::new(2, 0), &repositories(&together), false);
        assert_eq!(advice, Advice::Split(Leaf::new(2, 0).split(4)));
    }

    #[test]
    fn the_cap_is_kept() {
        let full = advise(POLICY, 64, Leaf::new(64, 0), &repositories(&[(0, 200), (64, 200)]), false);
        assert_eq!(full, Advice::Full);
    }

    proptest! {
        #[test]
        fn a_split_keeps_every_row_and_helps(
            sizes in prop::collection::vec((0_u64..u64::MAX, 1_u64..500), 1..60),
            exponent in 1_u32..7,
            leaves in 1_usize..64,
        ) {
            let leaf = Leaf::new(1 << exponent, 1);
            let sizes: Vec<_> = sizes.into_iter().filter(|(hash, _)| leaf.takes(*hash)).collect();
            let repositories = repositories(&sizes);
            let rows: u64 = sizes.iter().map(|(_, rows)| rows).sum();
            match advise(POLICY, leaves, leaf, &repositories, false) {
                Advice::Fine => prop_assert!(rows <= 2 * POLICY.leaf_rows),
                Advice::Split(parts) => {
                    prop_assert!(parts.len().is_power_of_two());
                    prop_assert!(leaves - 1 + parts.len() <= POLICY.most_leaves);
                    let held: Vec<u64> = parts.iter().map(|part| rows_in(*part, &repositories)).collect();
                    prop_assert_eq!(held.iter().sum::<u64>(), rows);
                    prop_assert!(held.iter().all(|held| *held < rows));
                    prop_assert!(parts.iter().all(|part| leaf.covers(*part)));
                }
                Advice::ByPath { leaf: split, share, .. } => {
                    prop_assert!(split.paths.is_power_of_two() && split.paths > 1);
                    prop_assert!(share > 0.0 && rows > 2 * POLICY.leaf_rows);
                }
                Advice::Full => prop_assert!(leaves + 1 > POLICY.most_leaves),
            }
        }

        #[test]
        fn what_was_merged_is_not_split_again(first in 1_u64..100, second in 1_u64..100) {
            let merged = repositories(&[(0, first), (16, second)]);
            prop_assert_eq!(advise(POLICY, 16, Leaf::new(16, 0), &merged, false), Advice::Fine);
        }
    }
}
