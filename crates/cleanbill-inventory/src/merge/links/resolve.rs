//! Resolving one path in the merged view, the way a kernel does.

use cleanbill_core::inventory::{Link, PathKind};

use super::super::view::View;

/// Says where a path leads.
#[derive(Debug)]
pub(super) enum Resolution<'a> {
    /// No link is on the way, or the path does not exist at all.
    Unlinked,
    /// Symbolic links lead to something that is no link, as far as is known.
    Found(Step),
    /// The path, or what symbolic links lead to, is a hard link of a layer.
    HardLink { layer_index: usize, link: &'a Link },
    /// Something other than a directory is on the way: perhaps a link that was not recorded.
    Unclear {
        layer_index: usize,
        step: Step,
        is_own_link: bool,
    },
    /// A link leads nowhere. `is_own_link`: the last component of the path is that link.
    Missing { is_own_link: bool },
    /// Too many components were looked up.
    Exhausted,
}

impl Resolution<'_> {
    /// Forgets which components the resolved path has in common with another.
    pub(super) fn apart(mut self) -> Self {
        if let Resolution::Found(step) | Resolution::Unclear { step, .. } = &mut self {
            step.common = 0;
        }
        self
    }
}

/// Is the state behind the last link.
#[derive(Debug)]
pub(super) struct Step {
    /// The real path so far.
    pub(super) real: String,
    /// What is there.
    pub(super) kind: PathKind,
    /// The components at the end of the real path that follow the last link in the original path
    /// too.
    common: usize,
}

impl Step {
    /// Builds the state at a path that no link leads to.
    pub(super) fn at(path: &str, kind: PathKind) -> Self {
        Self {
            real: path.to_owned(),
            kind,
            common: 0,
        }
    }

    /// Cuts the common components: returns the path of the last link as shown, and where it
    /// leads.
    pub(super) fn roots(&self, shown: &str) -> (String, String) {
        (cut(shown, self.common), cut(&self.real, self.common))
    }
}

fn cut(path: &str, components: usize) -> String {
    let mut rest = path;
    for _ in 0..components {
        rest = rest.rsplit_once('/').map_or("", |(directory, _)| directory);
    }
    rest.to_owned()
}

/// Resolves a path. `depth_max` bounds the links; each component that is looked up costs one of
/// `components_left`.
pub(super) fn resolve<'a>(
    view: &View<'a>,
    path: &str,
    depth_max: u32,
    components_left: &mut u64,
) -> Resolution<'a> {
    let mut walk = Walk::new(path);
    let mut depth = 0;
    while let Some(name) = walk.pending.pop() {
        let Some(left) = components_left.checked_sub(1) else {
            return Resolution::Exhausted;
        };
        *components_left = left;
        let next = join(&walk.real, &name);
        let Some(holder) = view.holder(&next) else {
            return walk.nowhere();
        };
        if holder.kind == PathKind::Directory {
            walk.real = next;
            continue;
        }
        let is_last = walk.pending.is_empty();
        match view.link(holder.layer_index, &next) {
            Some(link) if link.is_hard && is_last => {
                return Resolution::HardLink {
                    layer_index: holder.layer_index,
                    link,
                };
            }
            Some(link) if link.is_hard => return walk.nowhere(),
            Some(link) => {
                depth += 1;
                if depth > depth_max || link.target.len() > PATH_SIZE_BYTES_MAX {
                    return Resolution::Missing {
                        is_own_link: walk.has_own_link() || is_last,
                    };
                }
                walk.turn(&link.target);
            }
            None if is_last => {
                walk.real = next;
                return walk.arrived(PathKind::NonDirectory);
            }
            None => return walk.stopped(next, holder.layer_index),
        }
    }
    walk.arrived(PathKind::Directory)
}

/// Linux resolves no longer path.
const PATH_SIZE_BYTES_MAX: usize = 4096;

struct Walk {
    /// The components to come, the next one last.
    pending: Vec<String>,
    real: String,
    /// How many of the pending components are of the original path.
    original: usize,
    /// A link was followed.
    is_linked: bool,
}

impl Walk {
    fn new(path: &str) -> Self {
        let pending = components(path);
        Self {
            original: pending.len(),
            pending,
            real: String::new(),
            is_linked: false,
        }
    }

    /// Goes on at a link's target, from the root.
    fn turn(&mut self, target: &str) {
        self.original = self.original.min(self.pending.len());
        self.is_linked = true;
        self.pending.extend(components(target));
        self.real.clear();
    }

    fn has_own_link(&self) -> bool {
        self.is_linked && self.original == 0
    }

    fn arrived<'a>(self, kind: PathKind) -> Resolution<'a> {
        if !self.is_linked {
            return Resolution::Unlinked;
        }
        Resolution::Found(Step {
            real: self.real,
            kind,
            common: self.original,
        })
    }

    /// Is stopped by something other than a directory.
    fn stopped<'a>(self, real: String, layer_index: usize) -> Resolution<'a> {
        if !self.is_linked {
            return Resolution::Unlinked;
        }
        Resolution::Unclear {
            layer_index,
            is_own_link: self.has_own_link(),
            step: Step {
                // What was reached of the original path after the last link.
                common: self.original.saturating_sub(self.pending.len()),
                real,
                kind: PathKind::NonDirectory,
            },
        }
    }

    fn nowhere<'a>(self) -> Resolution<'a> {
        if self.is_linked {
            Resolution::Missing {
                is_own_link: self.has_own_link(),
            }
        } else {
            Resolution::Unlinked
        }
    }
}

/// Splits a path, the first component last.
fn components(path: &str) -> Vec<String> {
    path.split('/')
        .filter(|name| !name.is_empty())
        .rev()
        .map(str::to_owned)
        .collect()
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}
