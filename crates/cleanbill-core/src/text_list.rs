//! Lists of texts, such as the paths of the files that packages own, in one piece of memory.

use std::fmt;
use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Holds texts, in an order. Copies share them.
///
/// A package may own a hundred thousand files. Each takes its characters and eight bytes here, in a
/// list of [`String`]s forty more. Written out it is a list of texts.
#[derive(Clone, Default)]
pub struct TextList(Option<Arc<Texts>>);

#[derive(Clone, Default)]
struct Texts {
    /// All texts, one after the other.
    text: String,
    /// Where each begins and ends.
    spans: Vec<(u32, u32)>,
}

impl Texts {
    fn get(&self, (begin, end): (u32, u32)) -> &str {
        self.text
            .get(begin as usize..end as usize)
            .unwrap_or_default()
    }
}

impl TextList {
    /// Iterates over the texts.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        let texts = self.0.as_deref();
        let spans = texts.map_or(&[][..], |texts| &texts.spans);
        spans
            .iter()
            .map(move |span| texts.map_or("", |texts| texts.get(*span)))
    }

    /// Returns a text by its number.
    pub fn get(&self, number: usize) -> Option<&str> {
        let texts = self.0.as_deref()?;
        texts.spans.get(number).map(|span| texts.get(*span))
    }

    /// Finds the number of a text among sorted ones; if it is none of them, where it would be.
    ///
    /// # Errors
    ///
    /// It is none of them.
    pub fn binary_search(&self, text: &str) -> Result<usize, usize> {
        self.0.as_deref().map_or(Err(0), |texts| {
            let compare = |span: &(u32, u32)| texts.get(*span).cmp(text);
            texts.spans.binary_search_by(compare)
        })
    }

    /// Says how many there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |texts| texts.spans.len())
    }

    /// Says whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a text. Says whether there was room for it: all together may have 4 GiB.
    pub fn push(&mut self, text: &str) -> bool {
        let texts = Arc::make_mut(self.0.get_or_insert_default());
        let begin = u32::try_from(texts.text.len());
        let end = u32::try_from(texts.text.len().saturating_add(text.len()));
        let (Ok(begin), Ok(end)) = (begin, end) else {
            return false;
        };
        texts.text.push_str(text);
        texts.spans.push((begin, end));
        true
    }

    /// Sorts the texts.
    pub fn sort(&mut self) {
        if let Some(texts) = &mut self.0 {
            let texts = Arc::make_mut(texts);
            let mut spans = std::mem::take(&mut texts.spans);
            spans.sort_unstable_by(|a, b| texts.get(*a).cmp(texts.get(*b)));
            texts.spans = spans;
        }
    }

    /// Gives memory back that more texts would need.
    pub fn shrink(&mut self) {
        if let Some(texts) = &mut self.0 {
            let texts = Arc::make_mut(texts);
            texts.text.shrink_to_fit();
            texts.spans.shrink_to_fit();
        }
    }

    /// Returns about how many bytes it takes.
    pub fn size_bytes(&self) -> usize {
        let of = |texts: &Texts| texts.text.len() + size_of_val(texts.spans.as_slice());
        self.0.as_deref().map_or(0, of)
    }
}

impl fmt::Debug for TextList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for TextList {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for TextList {}

impl<T: AsRef<str>> PartialEq<Vec<T>> for TextList {
    fn eq(&self, other: &Vec<T>) -> bool {
        self.iter().eq(other.iter().map(AsRef::as_ref))
    }
}

impl<T: AsRef<str>, const N: usize> PartialEq<[T; N]> for TextList {
    fn eq(&self, other: &[T; N]) -> bool {
        self.iter().eq(other.iter().map(AsRef::as_ref))
    }
}

impl<T: AsRef<str>> FromIterator<T> for TextList {
    fn from_iter<I: IntoIterator<Item = T>>(texts: I) -> Self {
        let mut list = Self::default();
        for text in texts {
            list.push(text.as_ref());
        }
        list.shrink();
        list
    }
}

impl From<Vec<String>> for TextList {
    fn from(texts: Vec<String>) -> Self {
        texts.into_iter().collect()
    }
}

impl Serialize for TextList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for TextList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(TextListVisitor)
    }
}

struct TextListVisitor;

impl<'de> Visitor<'de> for TextListVisitor {
    type Value = TextList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<TextList, A::Error> {
        let mut list = TextList::default();
        while let Some(text) = texts.next_element::<String>()? {
            list.push(&text);
        }
        list.shrink();
        Ok(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_what_was_put_in() {
        let mut list = TextList::default();
        assert!(list.is_empty());
        assert_eq!(list, Vec::<String>::new());
        for text in ["b", "", "é", "a"] {
            assert!(list.push(text));
        }
        let copy = list.clone();
        list.sort();
        list.shrink();
        assert_eq!(list, ["", "a", "b", "é"]);
        assert_eq!(copy, ["b", "", "é", "a"]);
        assert_ne!(copy, list);
        assert_eq!((list.get(3), list.get(4)), (Some("é"), None));
        assert_eq!(list.binary_search("b"), Ok(2));
        assert_eq!(list.binary_search("c"), Err(3));
        assert_eq!(TextList::default().binary_search("a"), Err(0));
        assert_eq!(
            list,
            TextList::from(vec!["".to_owned(), "a".into(), "b".into(), "é".into()])
        );
        assert_eq!((list.len(), list.size_bytes()), (4, 4 + 4 * 8));
        assert_eq!(format!("{list:?}"), r#"["", "a", "b", "é"]"#);
    }

    #[test]
    fn it_is_written_and_read_as_a_list() {
        let list: TextList = ["/usr/bin/a", "/usr/bin/b\""].into_iter().collect();
        let text = serde_json::to_string(&list).unwrap();
        assert_eq!(text, r#"["/usr/bin/a","/usr/bin/b\""]"#);
        assert_eq!(serde_json::from_str::<TextList>(&text).unwrap(), list);
        assert_eq!(serde_json::to_string(&TextList::default()).unwrap(), "[]");
        assert!(serde_json::from_str::<TextList>("[1]").is_err());
    }
}
