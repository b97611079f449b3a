//! Room for a second copy, as far as somebody has said what is free: SQL does not show it.

use terminal::Finding;

use crate::layout::Bytes;

pub(super) fn check(needed: u64, free: Option<u64>) -> Vec<Finding> {
    let Some(free) = free.filter(|free| *free < needed) else { return Vec::new() };
    let message = format!("it needs about {} of disk, and {} are free", Bytes(needed), Bytes(free));
    vec![Finding::new("too-little-disk", message)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::obstacle::example::*;

    #[test]
    fn a_disk_without_room_is_refused_if_it_is_known() {
        assert_eq!(check(1000, None), []);
        assert_eq!(check(1000, Some(1000)), []);
        assert_eq!(messages(check(2000, Some(1000))), ["it needs about 2.0 kB of disk, and 1.0 kB are free"]);
    }
}
