//! From the text of an `exceptions.yaml` to exceptions and the rules that they are.

mod fields;
mod keys;

use cleanbill_core::glob::Pattern;

use super::{Exception, ExceptionsError, ExceptionsProblem, date, text};
use crate::document::{self, Content, Node, Place};
use crate::ignore::rule::{Condition, Entry, Rule};
use crate::ignore::version_range::VersionRange;
use fields::Fields;
use keys::{KEYS, TOP_KEYS};

pub use keys::json_schema;

/// Writes an id as advisories do; what is no id stays as it is.
pub(super) fn canonical(id: &str) -> String {
    fields::id(id.trim()).unwrap_or_else(|_| id.to_owned())
}

/// Exceptions in a file. More are not kept by people.
const EXCEPTIONS_MAX: usize = 100_000;

/// Collects what is wrong.
#[derive(Default)]
struct Problems(Vec<ExceptionsProblem>);

impl Problems {
    fn add(&mut self, place: Place, text: impl Into<String>) {
        self.0.push(ExceptionsProblem {
            line: place.line,
            column: place.column,
            text: text.into(),
        });
    }
}

pub(super) fn parse(text: &str) -> Result<Vec<(Entry, Exception)>, ExceptionsError> {
    let document = document::parse(text).map_err(|error| {
        let place = error.place.unwrap_or_default();
        let mut problems = Problems::default();
        problems.add(place, error.reason);
        ExceptionsError {
            problems: problems.0,
        }
    })?;
    let mut problems = Problems::default();
    let nodes = entries(&document, &mut problems);
    if let Some(node) = nodes.get(EXCEPTIONS_MAX) {
        let text = format!("there are more than {EXCEPTIONS_MAX} exceptions");
        problems.add(node.place, text);
    }
    let read = nodes.iter().take(EXCEPTIONS_MAX);
    let read: Vec<_> = read
        .filter_map(|node| exception(node, &mut problems))
        .collect();
    if problems.0.is_empty() {
        return Ok(read);
    }
    problems.0.sort();
    Err(ExceptionsError {
        problems: problems.0,
    })
}

/// Returns the list: the document itself, or what stands below `exceptions`.
fn entries<'a>(document: &'a Node, problems: &mut Problems) -> &'a [Node] {
    match &document.content {
        Content::Null => &[],
        Content::Sequence(nodes) => nodes,
        Content::Scalar(_) => {
            problems.add(document.place, "expected a list of exceptions");
            &[]
        }
        Content::Mapping(pairs) => {
            let mut found: &[Node] = &[];
            for (key, place, value) in pairs {
                match (key.as_str(), &value.content) {
                    ("exceptions", Content::Sequence(nodes)) => found = nodes,
                    ("exceptions", Content::Null) => {}
                    ("exceptions", other) => {
                        let kind = other.kind();
                        problems.add(
                            value.place,
                            format!("exceptions: expected a list, this is {kind}"),
                        );
                    }
                    ("version", Content::Scalar(version)) if version == "1" => {}
                    ("version", _) => problems.add(value.place, "version: expected 1"),
                    (key, _) if KEYS.iter().any(|known| known.name == key) => {
                        problems.add(
                            *place,
                            format!("'{key}' belongs to an exception of the list: put '- ' before the first key of each"),
                        );
                        break;
                    }
                    (key, _) => problems.add(*place, keys::unknown(key, TOP_KEYS.iter().copied())),
                }
            }
            found
        }
    }
}

/// Reads one entry; `None` if something is wrong with it.
fn exception(node: &Node, problems: &mut Problems) -> Option<(Entry, Exception)> {
    let before = problems.0.len();
    let Content::Mapping(pairs) = &node.content else {
        let kind = node.content.kind();
        let text = format!("expected an exception (id: …, reason: …), this is {kind}");
        problems.add(node.place, text);
        return None;
    };
    let fields = Fields::of(pairs, problems);
    let known = problems.0.len();
    let reason = fields.text("reason", problems);
    let is_misread = problems.0.len() > known;
    let mut exception = Exception {
        line: node.place.line,
        images: fields.texts("image", problems),
        packages: fields.texts("package", problems),
        version: fields.text("version", problems),
        paths: fields.texts("path", problems),
        ecosystem: fields.text("ecosystem", problems),
        reason: reason.trim().to_owned(),
        created: fields.text("created", problems),
        unless: fields.texts("unless", problems),
        ..Exception::default()
    };
    exception.terms.owner = fields.text("owner", problems);
    exception.terms.ticket = fields.text("ticket", problems);
    exception.terms.expires = fields.text("expires", problems);
    let mut rule = Rule {
        knows_aliases: true,
        statement: exception.reason.clone(),
        terms: exception.terms.clone(),
        ..Rule::default()
    };
    ids(&fields, &mut exception, &mut rule, node.place, problems);
    if exception.reason.is_empty() && !is_misread {
        let place = fields.place("reason").unwrap_or(node.place);
        let text = "the exception has no reason: say why the findings are accepted (reason: …)";
        problems.add(place, text);
    }
    scope(&fields, &exception, &mut rule, problems);
    ends(&fields, &mut exception, &mut rule, problems);
    if problems.0.len() > before {
        return None;
    }
    let entry = Entry {
        line: exception.line,
        title: text::title(&exception.ids),
        rule: Ok(rule),
    };
    Some((entry, exception))
}

/// Reads which vulnerabilities it is about.
fn ids(
    fields: &Fields<'_>,
    exception: &mut Exception,
    rule: &mut Rule,
    place: Place,
    problems: &mut Problems,
) {
    const NAMES: [&str; 3] = ["id", "cve", "ids"];
    let given: Vec<&str> = NAMES
        .into_iter()
        .filter(|name| fields.place(name).is_some())
        .collect();
    let name = match given.as_slice() {
        [] => {
            problems.add(
                place,
                "the exception names no vulnerability (id: CVE-…), so it would cover everything",
            );
            return;
        }
        [name] => *name,
        [first, second, ..] => {
            let at = fields.place(second).unwrap_or(place);
            problems.add(
                at,
                format!("'{second}' says the same as '{first}': keep one of them"),
            );
            return;
        }
    };
    let at = fields.place(name).unwrap_or(place);
    let before = problems.0.len();
    let written = fields.texts(name, problems);
    if written.is_empty() && problems.0.len() == before {
        problems.add(
            at,
            format!("{name}: the exception names no vulnerability, so it would cover everything"),
        );
    }
    for id in &written {
        match fields::id(id) {
            Ok(id) if exception.ids.contains(&id) => {
                problems.add(at, format!("{name}: '{id}' stands here twice"));
            }
            Ok(id) => exception.ids.push(id),
            Err(reason) => problems.add(at, format!("{name}: {reason}")),
        }
    }
    let has_any = exception.ids.iter().any(|id| id == "*");
    if has_any && exception.ids.len() > 1 {
        problems.add(
            at,
            format!("{name}: '*' is any vulnerability, so the others say nothing"),
        );
    }
    if has_any && exception.packages.is_empty() && exception.paths.is_empty() {
        problems.add(
            at,
            format!("{name}: '*' covers every vulnerability, also those that nobody knows yet: limit it with package or path"),
        );
    }
    if !has_any {
        rule.ids.clone_from(&exception.ids);
    }
}

/// Reads what it is limited to.
fn scope(fields: &Fields<'_>, exception: &Exception, rule: &mut Rule, problems: &mut Problems) {
    let place = |name: &str| fields.place(name).unwrap_or_default();
    for image in &exception.images {
        match image.parse() {
            Ok(pattern) => rule.images.push(pattern),
            Err(error) => problems.add(place("image"), format!("image: {error}")),
        }
    }
    let mut packages = Vec::new();
    for package in &exception.packages {
        match fields::package(package) {
            Ok(package) => packages.push(package),
            Err(reason) => problems.add(place("package"), format!("package: {reason}")),
        }
    }
    if exception
        .packages
        .iter()
        .any(|name| name.chars().all(|char| matches!(char, '*' | '?')))
        && exception.ids.iter().any(|id| id == "*")
    {
        problems.add(
            place("package"),
            "package: '*' together with id '*' covers everything",
        );
    }
    if !packages.is_empty() {
        rule.conditions.push(Condition::Packages(packages));
    }
    let mut version_range = None;
    if !exception.version.is_empty() {
        match VersionRange::parse(&exception.version) {
            Ok(range) => {
                version_range = Some(range.clone());
                rule.conditions.push(Condition::VersionIn(range));
            }
            Err(reason) => problems.add(
                place("version"),
                format!(
                    "version: {reason} (expected a version, or bounds such as '>= 1.2, < 1.4')"
                ),
            ),
        }
    }
    for path in &exception.paths {
        match Pattern::parse(path.trim_start_matches('/')) {
            Ok(pattern) => rule.paths.push(pattern),
            Err(error) => problems.add(place("path"), format!("path: {error}")),
        }
    }
    if exception
        .paths
        .iter()
        .any(|path| path.chars().all(|char| matches!(char, '*' | '?' | '/')))
        && exception.ids.iter().any(|id| id == "*")
    {
        problems.add(
            place("path"),
            "path: every path together with id '*' covers everything",
        );
    }
    if !exception.ecosystem.is_empty() {
        match fields::ecosystem(&exception.ecosystem) {
            Ok(condition) => rule.conditions.push(condition),
            Err(reason) => problems.add(place("ecosystem"), format!("ecosystem: {reason}")),
        }
    }
    // Bounds that are above or below no package that it is about are a mistake.
    if let Some(text) = version_range.and_then(|range| unread_bound(&range, rule)) {
        problems.add(place("version"), text);
    }
}

/// Names a bound that is no version of the packages that a rule is about, as far as that is known.
fn unread_bound(range: &VersionRange, rule: &Rule) -> Option<String> {
    let mut kinds = rule.purl_types().into_iter();
    if let Some((kind, bound)) = kinds.find_map(|kind| Some((kind, range.unread(kind)?))) {
        return Some(format!(
            "version: '{bound}' is no version of a package of type {kind}"
        ));
    }
    let bound = range.unread_by_all()?;
    Some(format!("version: '{bound}' is no version of any package"))
}

/// Reads when it ends.
fn ends(fields: &Fields<'_>, exception: &mut Exception, rule: &mut Rule, problems: &mut Problems) {
    let place = |name: &str| fields.place(name).unwrap_or_default();
    let not_a_date =
        |name: &str, written: &str| format!("{name}: '{written}' is no date ({})", date::EXPECTED);
    let created = exception.created.as_str();
    let made_at = date::start(created);
    if made_at.is_none() && !created.is_empty() {
        problems.add(place("created"), not_a_date("created", created));
    }
    let expires = exception.terms.expires.as_str();
    let expires_at = date::end(expires);
    if expires_at.is_none() && !expires.is_empty() {
        problems.add(place("expires"), not_a_date("expires", expires));
    }
    if let (Some(made_at), Some(expires_at)) = (made_at, expires_at)
        && expires_at < made_at
    {
        let text = format!("expires: '{expires}' is before '{created}', when it was created");
        problems.add(place("expires"), text);
    }
    rule.expires_at = expires_at;
    exception.expires_at = expires_at.map(std::time::SystemTime::from);
    match fields.text("until", problems).as_str() {
        "" => {}
        "fixed" => {
            exception.until_fixed = true;
            rule.ends.push(crate::ignore::rule::End::Fixed);
        }
        other if date::end(other).is_some() => {
            let text =
                format!("until: expected fixed; a date belongs to expires (expires: {other})");
            problems.add(place("until"), text);
        }
        other => problems.add(
            place("until"),
            format!("until: expected fixed, not '{other}'"),
        ),
    }
    let mut unless = Vec::new();
    for condition in &exception.unless {
        match fields::end(condition) {
            Ok((end, canonical)) => {
                rule.ends.push(end);
                unless.push(canonical);
            }
            Err(reason) => problems.add(place("unless"), format!("unless: {reason}")),
        }
    }
    exception.unless = unless;
}
