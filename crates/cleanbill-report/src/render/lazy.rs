//! JSON lists that are made while they are written, so that a report of 100,000 findings is never
//! held twice.

use serde::{Serialize, Serializer};

/// Serializes what an iterator yields, as a list.
pub(super) struct Lazy<F>(pub(super) F);

impl<F, I> Serialize for Lazy<F>
where
    F: Fn() -> I,
    I: Iterator<Item: Serialize>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// Serializes items as their views. The context is what a view needs beside its item.
pub(super) struct List<'a, T, V, C = ()> {
    pub(super) items: &'a [T],
    pub(super) context: C,
    pub(super) view: fn(&C, &'a T) -> V,
}

impl<T, V, C> List<'_, T, V, C> {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl<'a, T, V: Serialize, C> Serialize for List<'a, T, V, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let views = self
            .items
            .iter()
            .map(|item| (self.view)(&self.context, item));
        serializer.collect_seq(views)
    }
}

/// Serializes those items of a list that are wanted.
pub(super) struct Sublist<'a, T, V, C = ()> {
    pub(super) list: List<'a, T, V, C>,
    pub(super) is_wanted: fn(&T) -> bool,
}

impl<T, V, C> Sublist<'_, T, V, C> {
    pub(super) fn is_empty(&self) -> bool {
        !self.list.items.iter().any(self.is_wanted)
    }
}

impl<'a, T, V: Serialize, C> Serialize for Sublist<'a, T, V, C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let List {
            items,
            context,
            view,
        } = &self.list;
        let wanted = items.iter().filter(|item| (self.is_wanted)(item));
        serializer.collect_seq(wanted.map(|item| view(context, item)))
    }
}
