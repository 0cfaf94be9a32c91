//! Names of images with wildcards.

/// Matches whole names of images: `*` stands for any characters, slashes included, `?` for one.
/// Everything else stands for itself, so a plain name is a pattern too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImagePattern(String);

impl ImagePattern {
    /// Takes a pattern. Every text is one.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Says whether a name matches. Takes at most length of name × length of pattern steps.
    pub fn matches(&self, name: &str) -> bool {
        let pattern: Vec<char> = self.0.chars().collect();
        let name: Vec<char> = name.chars().collect();
        let (mut at, mut in_name) = (0, 0);
        // Where to go on if it fits nowhere: after the last star, which takes one character more.
        let mut retry: Option<(usize, usize)> = None;
        while let Some(char) = name.get(in_name) {
            match pattern.get(at) {
                Some('*') => {
                    retry = Some((at + 1, in_name));
                    at += 1;
                }
                Some(wanted) if *wanted == '?' || wanted == char => {
                    at += 1;
                    in_name += 1;
                }
                _ => match retry {
                    Some((after_star, taken)) => {
                        at = after_star;
                        in_name = taken + 1;
                        retry = Some((after_star, taken + 1));
                    }
                    None => return false,
                },
            }
        }
        pattern.iter().skip(at).all(|char| *char == '*')
    }
}

impl From<&str> for ImagePattern {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}
