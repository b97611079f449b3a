//! The column whose weeks are leaves: it has to be a time.

use terminal::Finding;

use crate::layout::Shape;
use crate::table::definition::Definition;

pub(super) fn check(definition: &Definition, target: &Shape) -> Vec<Finding> {
    let Shape::Weeks { key, .. } = target else { return Vec::new() };
    let is_time = |kind: &str| kind == "date" || kind.starts_with("timestamp");
    let other = definition.column(key).filter(|column| !is_time(&column.data_type));
    let finding =
        |kind: &String| Finding::new("week-of-no-time", format!("its column `{key}` is {kind}, which has no weeks"));
    other.map(|column| finding(&column.data_type)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Week;
    use crate::table::obstacle::example::*;

    #[test]
    fn a_key_that_is_no_time_is_refused() {
        let mut table = table();
        let weeks = Shape::weeks("repo_name", vec![Week::new(0)], &Shape::Plain);
        assert_eq!(messages(check(&table, &weeks)), ["its column `repo_name` is text, which has no weeks"]);
        assert_eq!(check(&table, &Shape::even("repo_name", "path", 2)), []);
        for time in ["date", "timestamp without time zone", "timestamp(0) with time zone"] {
            table.columns[0].data_type = time.into();
            assert_eq!(check(&table, &weeks), [], "{time}");
        }
    }
}
