//! A text that knows how much room is left.

use super::CommentStyle;

/// Bytes that are kept for the line that counts what does not fit.
const MORE_SIZE_BYTES: usize = 160;

/// Is a comment while it is written.
pub(super) struct Page {
    text: String,
    style: CommentStyle,
    /// Bytes that it may have without its footer.
    size_bytes_max: usize,
}

/// A list as it is to be written.
pub(super) struct List<R> {
    /// What stands above it, in words that need no escape.
    pub(super) title: String,
    /// It stands behind its title and is opened by whoever wants to see it.
    pub(super) is_folded: bool,
    /// The heads of the columns and the line below.
    pub(super) head: &'static str,
    /// The rows, what matters first.
    pub(super) rows: R,
}

impl Page {
    pub(super) fn new(style: CommentStyle, footer_size_bytes: usize) -> Self {
        let kept = footer_size_bytes.saturating_add(MORE_SIZE_BYTES);
        Self {
            text: String::new(),
            style,
            size_bytes_max: style.size_bytes_max().saturating_sub(kept),
        }
    }

    /// Writes a part if it fits. Returns whether it did.
    pub(super) fn write(&mut self, part: &str) -> bool {
        let fits = part.len() <= self.left();
        if fits {
            self.text.push_str(part);
        }
        fits
    }

    /// Writes a list with as many rows as fit, and says how many do not. Without rows nothing is
    /// written.
    pub(super) fn list<R: ExactSizeIterator<Item = String>>(&mut self, list: List<R>) {
        let mut rows = list.rows;
        let count = rows.len();
        if count == 0 {
            return;
        }
        let folds = list.is_folded && self.style.folds();
        let (above, below) = match folds {
            true => (
                format!("<details><summary>{}</summary>\n\n", list.title),
                "\n</details>\n\n",
            ),
            false => (format!("#### {}\n\n", list.title), "\n"),
        };
        let room = (self.left()).checked_sub(above.len() + list.head.len() + below.len());
        let Some(mut room) = room.and_then(|room| room.checked_sub(MORE_SIZE_BYTES)) else {
            self.write(&format!("{}: left out, for want of room.\n\n", list.title));
            return;
        };
        let mut written = String::new();
        let mut shown = 0;
        for row in rows.by_ref() {
            let Some(left) = room.checked_sub(row.len()) else {
                break;
            };
            room = left;
            written.push_str(&row);
            shown += 1;
        }
        self.text.push_str(&above);
        if shown > 0 {
            self.text.push_str(list.head);
            self.text.push_str(&written);
        }
        if shown < count {
            let left_out = count - shown;
            self.text.push_str(&format!(
                "\n… and {left_out} more, left out for want of room.\n"
            ));
        }
        self.text.push_str(below);
    }

    /// Adds the footer, for which room was kept.
    pub(super) fn finish(mut self, footer: &str) -> String {
        self.text.push_str(footer);
        self.text
    }

    fn left(&self) -> usize {
        self.size_bytes_max.saturating_sub(self.text.len())
    }
}
