//! A value as somebody wrote it, before anything is known about it.

/// Holds one text, or the items of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// A text; a list is separated by commas.
    One(String),
    /// The items of a list, each as it is.
    Many(Vec<String>),
}

impl Given {
    /// Takes what a flag was given, once or several times. Repeating it is another way to write a
    /// list, so commas separate there too.
    pub(crate) fn of_flag(values: Vec<String>) -> Self {
        match <[String; 1]>::try_from(values) {
            Ok([one]) => Given::One(one),
            Err(values) => Given::Many(values.iter().flat_map(|text| items(text)).collect()),
        }
    }

    /// Returns the items of a list: what stands between commas, without blanks and gaps.
    pub(crate) fn into_items(self) -> Vec<String> {
        match self {
            Given::One(text) => items(&text),
            Given::Many(items) => items,
        }
    }

    /// Returns the text, or `None` for a list.
    pub(crate) fn into_one(self) -> Option<String> {
        match self {
            Given::One(text) => Some(text),
            Given::Many(_) => None,
        }
    }
}

fn items(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}
