//! Maps by path: what lies below a directory.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Returns the keys below a path, without the path itself.
pub(crate) fn keys_below<V>(map: &BTreeMap<String, V>, path: &str) -> Vec<String> {
    if map.is_empty() {
        return Vec::new();
    }
    let prefix = format!("{path}/");
    map.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
        .map(|(key, _)| key)
        .take_while(|key| key.starts_with(&prefix))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_not_below() {
        let paths = ["a", "a-b", "a/", "a/b", "a/b/c", "a0", "ab/c"];
        let map: BTreeMap<String, ()> = paths.map(|path| (path.to_owned(), ())).into();
        assert_eq!(keys_below(&map, "a"), ["a/", "a/b", "a/b/c"]);
        assert!(keys_below(&map, "a/b/c").is_empty());
        assert!(keys_below::<()>(&BTreeMap::new(), "a").is_empty());
    }
}
