//! The text in which a Go program lists its modules.
//!
//! Source: Go `runtime/debug/mod.go`, `ParseBuildInfo`.

/// Holds what the text says, as far as it counts here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ModuleText {
    /// The module of the program itself; its path is empty if none is named.
    pub(super) main: Module,
    pub(super) dependencies: Vec<Module>,
    /// The value of the first `-ldflags`.
    pub(super) link_flags: String,
}

/// A module.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Module {
    pub(super) path: String,
    pub(super) version: String,
    /// Path and version of the module that is used in its stead.
    pub(super) replacement: Option<(String, String)>,
}

/// Says why a text makes no sense.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {line}: {reason}")]
pub(super) struct ModuleTextError {
    line: usize,
    reason: &'static str,
}

/// What a line that begins with `=>` belongs to.
#[derive(Clone, Copy)]
enum Last {
    Nothing,
    Main,
    Dependency,
}

impl ModuleText {
    /// Parses the text. A last line without an end does not count.
    ///
    /// # Errors
    ///
    /// A line of a known kind is malformed.
    pub(super) fn parse(text: &str) -> Result<Self, ModuleTextError> {
        let mut parsed = Self::default();
        let mut last = Last::Nothing;
        let mut has_flags = false;
        let complete = text
            .rfind('\n')
            .map_or("", |end| text.get(..end).unwrap_or(""));
        for (line, content) in (1..).zip(complete.split('\n')) {
            let failed = |reason| ModuleTextError { line, reason };
            if let Some(module) = content.strip_prefix("mod\t") {
                parsed.main = parse_module(module).map_err(failed)?;
                last = Last::Main;
            } else if let Some(module) = content.strip_prefix("dep\t") {
                parsed
                    .dependencies
                    .push(parse_module(module).map_err(failed)?);
                last = Last::Dependency;
            } else if let Some(module) = content.strip_prefix("=>\t") {
                let replaced = match last {
                    Last::Nothing => None,
                    Last::Main => Some(&mut parsed.main),
                    Last::Dependency => parsed.dependencies.last_mut(),
                };
                let replaced = replaced.ok_or(failed("a replacement follows no module"))?;
                replaced.replacement = Some(parse_replacement(module).map_err(failed)?);
                last = Last::Nothing;
            } else if let Some(setting) = content.strip_prefix("build\t") {
                let (key, value) = parse_setting(setting).map_err(failed)?;
                if key == "-ldflags" && !has_flags {
                    parsed.link_flags = value;
                    has_flags = true;
                }
            }
        }
        Ok(parsed)
    }
}

fn parse_module(text: &str) -> Result<Module, &'static str> {
    let columns: Vec<&str> = text.split('\t').collect();
    let ([path, version] | [path, version, _]) = columns[..] else {
        return Err("a module has no 2 or 3 columns");
    };
    Ok(Module {
        path: path.to_owned(),
        version: version.to_owned(),
        replacement: None,
    })
}

fn parse_replacement(text: &str) -> Result<(String, String), &'static str> {
    let columns: Vec<&str> = text.split('\t').collect();
    match columns[..] {
        [path, version, _] => Ok((path.to_owned(), version.to_owned())),
        _ => Err("a replacement has no 3 columns"),
    }
}

fn parse_setting(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = match text.chars().next() {
        None => return Err("a setting is empty"),
        Some('=') => return Err("a setting has no key"),
        Some('`' | '"') => {
            let (key, rest) = unquote_prefix(text).ok_or("a quoted key is malformed")?;
            let value = rest
                .strip_prefix('=')
                .ok_or("no '=' follows a quoted key")?;
            (key, value)
        }
        Some(_) => {
            let (key, value) = text.split_once('=').ok_or("a setting has no '='")?;
            if key.contains([' ', '\t', '\r', '\n', '"', '`']) {
                return Err("a key is not quoted");
            }
            (key.to_owned(), value)
        }
    };
    if value.starts_with(['`', '"']) {
        let value = match unquote_prefix(value) {
            Some((value, "")) => value,
            _ => return Err("a quoted value is malformed"),
        };
        return Ok((key, value));
    }
    if value.contains([' ', '\t', '\r', '\n', '"', '`']) {
        return Err("a value is not quoted");
    }
    Ok((key, value.to_owned()))
}

/// Reads a Go string literal. Returns its value and what follows it.
fn unquote_prefix(text: &str) -> Option<(String, &str)> {
    if let Some(raw) = text.strip_prefix('`') {
        let (value, rest) = raw.split_once('`')?;
        return Some((value.replace('\r', ""), rest));
    }
    let mut rest = text.strip_prefix('"')?;
    let mut value = Vec::new();
    loop {
        let next = rest.chars().next()?;
        rest = rest.get(next.len_utf8()..)?;
        match next {
            '"' => return Some((String::from_utf8_lossy(&value).into_owned(), rest)),
            '\n' => return None,
            '\\' => rest = unescape(rest, &mut value)?,
            _ => value.extend(next.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Reads what follows a backslash. Returns what follows that.
fn unescape<'a>(text: &'a str, value: &mut Vec<u8>) -> Option<&'a str> {
    let escape = text.chars().next()?;
    let rest = text.get(escape.len_utf8()..)?;
    let simple = match escape {
        'a' => 7,
        'b' => 8,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        '"' => b'"',
        'x' => return numeric(rest, 2, 16, value),
        'u' => return numeric(rest, 4, 16, value),
        'U' => return numeric(rest, 8, 16, value),
        '0'..='7' => return numeric(text, 3, 8, value),
        _ => return None,
    };
    value.push(simple);
    Some(rest)
}

fn numeric<'a>(text: &'a str, digits: usize, radix: u32, value: &mut Vec<u8>) -> Option<&'a str> {
    let (number, rest) = text.split_at_checked(digits)?;
    if !number.bytes().all(|byte| char::from(byte).is_digit(radix)) {
        return None;
    }
    let number = u32::from_str_radix(number, radix).ok()?;
    if digits <= 3 {
        value.push(u8::try_from(number).ok()?);
    } else {
        value.extend(char::from_u32(number)?.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Some(rest)
}
