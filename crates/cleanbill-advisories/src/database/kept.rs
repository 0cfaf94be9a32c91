//! Keeps what was looked up: images share most packages and vulnerabilities.

use std::collections::HashMap;

/// Keeps values by a place and a name, up to a total cost.
///
/// There are two generations. When the younger has its half of the cost, it takes the place of the
/// older, which is forgotten; what is asked for in the older moves to the younger. So what is
/// asked for often stays, and neither asking nor adding ever takes long.
#[derive(Debug)]
pub(super) struct Kept<V> {
    young: Generation<V>,
    old: Generation<V>,
    cost_max: usize,
}

#[derive(Debug)]
struct Generation<V> {
    by_place: HashMap<String, HashMap<String, Costed<V>>>,
    cost: usize,
}

#[derive(Debug)]
struct Costed<V> {
    value: V,
    cost: usize,
}

impl<V> Default for Generation<V> {
    fn default() -> Self {
        Self {
            by_place: HashMap::new(),
            cost: 0,
        }
    }
}

impl<V: Clone> Kept<V> {
    pub(super) fn new(cost_max: usize) -> Self {
        Self {
            young: Generation::default(),
            old: Generation::default(),
            cost_max,
        }
    }

    /// Returns what is kept under a name.
    pub(super) fn get(&mut self, place: &str, name: &str) -> Option<V> {
        if let Some(found) = self.young.get(place, name) {
            return Some(found.value.clone());
        }
        let found = self.old.take(place, name)?;
        let value = found.value.clone();
        self.add(place, name, found);
        Some(value)
    }

    /// Keeps a value, if it does not cost more than a generation may. Names and releases come from
    /// images: long ones cost too.
    pub(super) fn insert(&mut self, place: &str, name: &str, value: V, cost: usize) {
        let cost = cost.max(1) + (name.len() + place.len()) / 512;
        self.old.take(place, name);
        self.add(place, name, Costed { value, cost });
    }

    /// Forgets everything, and gives back the room that it took.
    pub(super) fn clear(&mut self) {
        self.young = Generation::default();
        self.old = Generation::default();
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.young.by_place.is_empty() && self.old.by_place.is_empty()
    }

    fn add(&mut self, place: &str, name: &str, added: Costed<V>) {
        let cost_max = self.cost_max / 2;
        if added.cost > cost_max {
            return;
        }
        if self.young.cost + added.cost > cost_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.put(place, name, added);
    }
}

impl<V> Generation<V> {
    fn get(&self, place: &str, name: &str) -> Option<&Costed<V>> {
        self.by_place.get(place)?.get(name)
    }

    fn take(&mut self, place: &str, name: &str) -> Option<Costed<V>> {
        let taken = self.by_place.get_mut(place)?.remove(name)?;
        self.cost -= taken.cost;
        Some(taken)
    }

    fn put(&mut self, place: &str, name: &str, added: Costed<V>) {
        self.cost += added.cost;
        let names = match self.by_place.get_mut(place) {
            Some(names) => names,
            None => self.by_place.entry(place.to_owned()).or_default(),
        };
        if let Some(replaced) = names.insert(name.to_owned(), added) {
            self.cost -= replaced.cost;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays() {
        let mut kept = Kept::new(20);
        kept.insert("debian 12", "openssl", 1, 1);
        kept.insert("debian 11", "openssl", 2, 1);
        for number in 0..100 {
            kept.insert("debian 12", &format!("package-{number}"), number, 1);
            assert_eq!(kept.get("debian 12", "openssl"), Some(1), "{number}");
        }
        assert_eq!(kept.get("debian 11", "openssl"), None);
        assert_eq!(kept.get("debian 12", "package-99"), Some(99));
        assert_eq!(kept.get("debian 12", "package-50"), None);
    }

    #[test]
    fn the_cost_is_bounded() {
        let mut kept = Kept::new(20);
        for number in 0..1_000_usize {
            let name = format!("package-{}", number % 37);
            if kept.get("", &name).is_none() {
                kept.insert("", &name, (), number % 9);
            }
            let stated = |generation: &Generation<()>| -> usize {
                let values = generation.by_place.values().flat_map(HashMap::values);
                values.map(|value| value.cost).sum()
            };
            assert_eq!(stated(&kept.young), kept.young.cost);
            assert_eq!(stated(&kept.old), kept.old.cost);
            assert!(kept.young.cost + kept.old.cost <= 20, "{number}");
        }
    }

    #[test]
    fn what_costs_too_much_is_not_kept() {
        let mut kept = Kept::new(20);
        kept.insert("", "a", (), 11);
        kept.insert("", &"b".repeat(6_000), (), 1);
        assert_eq!(kept.get("", "a"), None);
        assert_eq!(kept.get("", &"b".repeat(6_000)), None);
    }

    #[test]
    fn a_later_value_replaces_an_earlier_one() {
        let mut kept = Kept::new(20);
        kept.insert("", "a", 1, 5);
        kept.insert("", "a", 2, 3);
        assert_eq!((kept.get("", "a"), kept.young.cost), (Some(2), 3));
    }
}
