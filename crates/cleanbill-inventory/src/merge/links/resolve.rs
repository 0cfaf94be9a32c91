//! Resolving one path in the merged view, the way a kernel does.

use cleanbill_core::inventory::{Link, PathKind};

use super::super::view::{Holder, View};

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
        below_link: Option<usize>,
    },
    /// The path leads nowhere. `below_link`: a link on the way does, and as many components of the
    /// path follow it. `None`: the links lead somewhere, but the rest of the path is missing there.
    Missing { below_link: Option<usize> },
    /// A name on the way had bytes that are not UTF-8, so it cannot be told from others.
    Lossy,
    /// Too many components were looked up.
    Exhausted,
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
    /// Cuts the common components: returns the path of the last link as shown, and where it
    /// leads.
    pub(super) fn roots(&self, shown: &str) -> (String, String) {
        (cut(shown, self.common), cut(&self.real, self.common))
    }
}

/// Cuts components off the end of a path.
pub(super) fn cut(path: &str, components: usize) -> String {
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
    walk_on(view, Walk::new(path), depth_max, components_left)
}

/// Resolves the target of a symbolic link, as [`resolve`].
pub(super) fn resolve_target<'a>(
    view: &View<'a>,
    target: &str,
    depth_max: u32,
    components_left: &mut u64,
) -> Resolution<'a> {
    let mut walk = Walk::new("");
    walk.turn(target);
    walk_on(view, walk, depth_max, components_left)
}

/// Is what a hard link is a name of.
pub(super) struct Named<'a> {
    pub(super) layer_index: usize,
    pub(super) path: &'a str,
    /// The symbolic link there, if it is one as far as is known.
    pub(super) symlink: Option<&'a Link>,
}

/// Finds what a hard link of a layer is a name of, in that layer or the nearest below that has it.
pub(super) fn behind_hard_link<'a>(
    view: &View<'a>,
    turn: usize,
    link: &'a Link,
    links_max: u32,
    components_left: &mut u64,
) -> Option<Named<'a>> {
    let (mut layer_index, mut path) = (turn, link.target.as_str());
    for _ in 0..links_max {
        let cost = path.split('/').count() as u64;
        *components_left = components_left.saturating_sub(cost);
        if *components_left == 0 {
            return None;
        }
        layer_index = holder_of_hard_link(view, layer_index, path)?;
        match view.link(layer_index, path) {
            Some(next) if next.is_hard => path = &next.target,
            symlink => {
                return Some(Named {
                    layer_index,
                    path,
                    symlink,
                });
            }
        }
    }
    None
}

fn holder_of_hard_link(view: &View<'_>, layer_index: usize, target: &str) -> Option<usize> {
    let own = view.layers().get(layer_index)?;
    if own.inventory.paths.get(target) == Some(PathKind::NonDirectory) {
        return Some(layer_index);
    }
    let Holder { layer_index, kind } = view.holder_below(target, layer_index)?;
    (kind == PathKind::NonDirectory).then_some(layer_index)
}

fn walk_on<'a>(
    view: &View<'a>,
    mut walk: Walk,
    depth_max: u32,
    components_left: &mut u64,
) -> Resolution<'a> {
    let mut depth = 0;
    while let Some(name) = walk.pending.pop() {
        let Some(left) = components_left.checked_sub(1) else {
            return Resolution::Exhausted;
        };
        *components_left = left;
        if name == ".." {
            walk.rise();
            continue;
        }
        if is_lossy(&name) {
            return Resolution::Lossy;
        }
        let next = join(&walk.real, &name);
        let Some(holder) = view.holder(&next) else {
            return walk.nowhere();
        };
        if holder.kind == PathKind::Directory {
            walk.real = next;
            continue;
        }
        let is_last = walk.pending.is_empty();
        let link = match view.link(holder.layer_index, &next) {
            Some(link) if link.is_hard && is_last => {
                return Resolution::HardLink {
                    layer_index: holder.layer_index,
                    link,
                };
            }
            Some(link) if link.is_hard => {
                let turn = holder.layer_index;
                match behind_hard_link(view, turn, link, depth_max - depth, components_left) {
                    None => return walk.nowhere(),
                    Some(named) if is_lossy(named.path) => return Resolution::Lossy,
                    Some(named) if named.symlink.is_none() => {
                        walk.cross();
                        return walk.stopped(named.path.to_owned(), named.layer_index);
                    }
                    Some(named) => named.symlink,
                }
            }
            link => link,
        };
        match link {
            Some(link) => {
                depth += 1;
                if depth > depth_max || link.target.len() > PATH_SIZE_BYTES_MAX {
                    return Resolution::Missing {
                        below_link: Some(walk.original.min(walk.pending.len())),
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

    /// Notes that a link stands where the walk is.
    fn cross(&mut self) {
        self.original = self.original.min(self.pending.len());
        self.is_linked = true;
    }

    /// Goes up one directory; the root is its own.
    fn rise(&mut self) {
        let end = self.real.rfind('/').unwrap_or(0);
        self.real.truncate(end);
    }

    /// Goes on at a link's target, from the root.
    fn turn(&mut self, target: &str) {
        self.cross();
        self.pending.extend(components(target));
        self.real.clear();
    }

    /// Returns how many components of the original path follow the last link, if what is missing
    /// at this point belongs to that link's target.
    fn below_link(&self) -> Option<usize> {
        (self.pending.len() >= self.original).then_some(self.original)
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
            below_link: self.below_link(),
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
                below_link: self.below_link(),
            }
        } else {
            Resolution::Unlinked
        }
    }
}

/// Says whether a path had bytes that are not UTF-8: readers replace them by this character, which
/// nobody uses in names.
pub(super) fn is_lossy(path: &str) -> bool {
    path.contains(char::REPLACEMENT_CHARACTER)
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
