//! Maps by path: what lies below a directory.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Returns the keys below a path, without the path itself.
pub(crate) fn keys_below<K, V>(map: &BTreeMap<K, V>, path: &str) -> Vec<K>
where
    K: Borrow<str> + Clone + Ord,
{
    if map.is_empty() {
        return Vec::new();
    }
    let prefix = format!("{path}/");
    map.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
        .map(|(key, _)| key)
        .take_while(|key| (*key).borrow().starts_with(&prefix))
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
        assert!(keys_below::<String, ()>(&BTreeMap::new(), "a").is_empty());
    }
}
