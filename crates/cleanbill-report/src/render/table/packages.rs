//! The packages of one result: what to upgrade, what has no fix, what is suppressed.

use std::io;

use cleanbill_core::count;
use cleanbill_core::package::Package;
use cleanbill_core::report::{SeverityCounts, SuppressedFinding};
use cleanbill_core::severity::Severity;
use cleanbill_core::vulnerability::Finding;

use super::canvas::{Canvas, Span, Style};
use super::layout::{self, Cell, Column, Row};
use super::{Choices, short_name};
use crate::layers::Layers;
use crate::render::excepted;
use crate::render::groups::Group;
use crate::render::words;
use crate::text;

/// Rows of a table of packages to upgrade before it is folded.
const UPGRADES_MAX: usize = 20;
/// Rows of other tables before they are folded.
const ROWS_MAX: usize = 8;
/// Lines of vulnerability ids in a row before they are folded.
const ID_LINES_MAX: usize = 2;
/// Excepted findings that are named where nobody asked for them.
const EXCEPTED_MAX: usize = 5;
/// Columns of a reason, however narrow the terminal is.
const REASON_WIDTH_MIN: usize = 20;
/// Columns of a vulnerability id; longer ones are cut.
const ID_WIDTH_MAX: usize = 40;
/// Columns of a name; longer ones are cut.
const NAME_MAX: usize = 160;
/// What marks the id of a vulnerability that is known to be exploited.
const EXPLOITED: &str = " (exploited)";

/// Tells tables of packages apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Upgrade,
    NoFix,
}

/// Writes one table of packages, folded unless asked otherwise.
pub(super) fn groups(
    groups: &[Group<'_>],
    kind: Kind,
    layers: &Layers<'_>,
    choices: Choices<'_>,
    canvas: &mut Canvas<'_>,
) -> io::Result<()> {
    let rows_max = choices.rows_max(match kind {
        Kind::Upgrade => UPGRADES_MAX,
        Kind::NoFix => ROWS_MAX,
    });
    let (shown, folded) = groups.split_at(groups.len().min(rows_max));
    let table = Table::of(shown, kind, layers, choices);
    table.render(shown, canvas)?;
    if folded.is_empty() {
        return Ok(());
    }
    let findings: usize = folded.iter().map(|group| group.findings.len()).sum();
    let note = format!(
        "… {} with {} (--full shows all)",
        count(folded.len() as u64, "more package"),
        count(findings as u64, "finding"),
    );
    canvas.note("  ", &note, Style::Dim)
}

/// Knows how the rows of one table look.
struct Table<'a> {
    kind: Kind,
    layers: &'a Layers<'a>,
    choices: Choices<'a>,
    /// The severities that occur; each has a column.
    severities: Vec<Severity>,
}

impl<'a> Table<'a> {
    fn of(groups: &[Group<'_>], kind: Kind, layers: &'a Layers<'a>, choices: Choices<'a>) -> Self {
        let severities = Severity::ALL
            .into_iter()
            .filter(|severity| groups.iter().any(|group| group.counts().get(*severity) > 0))
            .collect();
        Self {
            kind,
            layers,
            choices,
            severities,
        }
    }

    /// Takes the layout that fits: all in columns; layer and ids below each row; or no columns.
    fn render(&self, groups: &[Group<'_>], canvas: &mut Canvas<'_>) -> io::Result<()> {
        let mut columns = self.columns();
        let narrow = columns.clone();
        columns.push(Column {
            at_right: true,
            ..Column::text("LAYER", 5, 5)
        });
        columns.push(Column::text(
            "VULNERABILITIES",
            self.id_width_min(groups),
            400,
        ));
        if layout::width_min(&columns) <= canvas.width {
            let rows: Vec<Row> = groups.iter().map(|group| self.wide_row(group)).collect();
            layout::table(canvas, &columns, &rows)
        } else if layout::width_min(&narrow) <= canvas.width {
            let rows: Vec<Row> = groups.iter().map(|group| self.narrow_row(group)).collect();
            layout::table(canvas, &narrow, &rows)
        } else {
            groups
                .iter()
                .try_for_each(|group| self.block(group, canvas))
        }
    }

    /// An id with its mark shall not be cut.
    fn id_width_min(&self, groups: &[Group<'_>]) -> usize {
        let mut findings = groups.iter().flat_map(|group| &group.findings);
        match findings.any(|finding| finding.known_exploited.is_some()) {
            true => 24 + EXPLOITED.len(),
            false => 24,
        }
    }

    fn columns(&self) -> Vec<Column> {
        let third = match self.kind {
            Kind::Upgrade => Column::text("FIXED IN", 10, 32),
            Kind::NoFix => Column::text("STATUS", 8, 24),
        };
        let mut columns = vec![
            Column::text("PACKAGE", 14, 40),
            Column::text("INSTALLED", 10, 32),
            third,
        ];
        columns.extend(
            self.severities
                .iter()
                .map(|severity| Column::number(short_name(*severity))),
        );
        columns
    }

    fn wide_row(&self, group: &Group<'_>) -> Row {
        let mut cells = self.cells(group);
        cells.push(Cell::of(Span::new(
            &layer_mark(group, self.layers),
            Style::Dim,
        )));
        cells.push(self.ids(group, Vec::new(), ID_LINES_MAX));
        Row { cells, below: None }
    }

    fn narrow_row(&self, group: &Group<'_>) -> Row {
        let mark = layer_mark(group, self.layers);
        let first = Some(mark).filter(|mark| !mark.is_empty());
        let first = first.map(|mark| Span::new(&format!("layer {mark}:"), Style::Dim));
        let below = Some(self.ids(group, first.into_iter().collect(), 1));
        Row {
            cells: self.cells(group),
            below,
        }
    }

    fn cells(&self, group: &Group<'_>) -> Vec<Cell> {
        let mut cells = vec![
            Cell::of(name(group)).with_path(path(group)),
            Cell::of(Span::plain(group.installed)),
            match self.kind {
                Kind::Upgrade => Cell::of(Span::new(&group.fix(), Style::Good)),
                Kind::NoFix => Cell::words(Span::words(&group.statuses(), Style::Dim)),
            },
        ];
        let counts = group.counts();
        cells.extend(
            self.severities
                .iter()
                .map(|severity| number(&counts, *severity)),
        );
        cells
    }

    /// Lists the ids behind some first words, folded unless asked otherwise.
    fn ids(&self, group: &Group<'_>, first: Vec<Span>, lines_max: usize) -> Cell {
        let ids = first.into_iter().chain(group.ids().map(id)).collect();
        if self.choices.full {
            Cell::words(ids)
        } else {
            Cell::folded(ids, lines_max)
        }
    }

    fn block(&self, group: &Group<'_>, canvas: &mut Canvas<'_>) -> io::Result<()> {
        let mut head = vec![name(group), Span::plain(group.installed)];
        match self.kind {
            Kind::Upgrade => head.extend([
                Span::new("→", Style::Dim),
                Span::new(&group.fix(), Style::Good),
            ]),
            Kind::NoFix => head.extend(Span::words(&group.statuses(), Style::Dim)),
        }
        canvas.paragraph("  ", &head)?;
        let below = Cell::words(severity_words(&group.counts())).with_path(path(group));
        layout::write_below(canvas, &below)?;
        match self.narrow_row(group).below {
            Some(below) => layout::write_below(canvas, &below),
            None => Ok(()),
        }
    }
}

/// Writes the number of findings of a severity, or a dot.
pub(super) fn number(counts: &SeverityCounts, severity: Severity) -> Cell {
    Cell::of(match counts.get(severity) {
        0 => Span::new("·", Style::Dim),
        number => Span::new(&number.to_string(), Style::Severity(severity)),
    })
}

/// Writes `2 critical, 1 high`.
pub(super) fn severity_words(counts: &SeverityCounts) -> Vec<Span> {
    let present: Vec<_> = Severity::ALL
        .into_iter()
        .filter(|severity| counts.get(*severity) > 0)
        .collect();
    let last = present.len().saturating_sub(1);
    present
        .into_iter()
        .enumerate()
        .map(|(index, severity)| {
            let comma = if index < last { "," } else { "" };
            let name = severity.lower_name();
            let text = format!("{} {name}{comma}", counts.get(severity));
            Span::new(&text, Style::Severity(severity))
        })
        .collect()
}

fn name(group: &Group<'_>) -> Span {
    short(group.name, Style::Bold)
}

/// Cuts what is longer than any name.
fn short(name: &str, style: Style) -> Span {
    let name = Span::new(name, style);
    name.with_text(&text::truncate(&name.text, NAME_MAX))
}

fn path(group: &Group<'_>) -> Option<Span> {
    let path = group.paths.first()?;
    let path = match group.paths.len() {
        1 => (*path).to_owned(),
        number => format!("{path} +{}", number - 1),
    };
    Some(Span::new(&path, Style::Dim))
}

fn layer_mark(group: &Group<'_>, layers: &Layers<'_>) -> String {
    let place = group.layer.as_ref().and_then(|layer| layers.find(layer));
    place
        .map(|(index, _)| format!("#{index}"))
        .unwrap_or_default()
}

/// Ids of critical vulnerabilities are not inverted as their numbers are: there are many.
fn id(finding: &Finding) -> Span {
    let severity = finding.severity.min(Severity::High);
    let id = Span::new(&finding.vulnerability_id, Style::Severity(severity));
    let shown = text::truncate(&id.text, ID_WIDTH_MAX);
    let id = match &finding.known_exploited {
        Some(_) => id.with_text(&format!("{shown}{EXPLOITED}")),
        None => id.with_text(&shown),
    };
    id.with_link(&finding.primary_url)
}

/// Writes the findings that do not count, each with what takes it out.
pub(super) fn suppressed(
    findings: &[SuppressedFinding],
    choices: Choices<'_>,
    canvas: &mut Canvas<'_>,
) -> io::Result<()> {
    let rows_max = choices.rows_max(UPGRADES_MAX);
    for suppressed in findings.iter().take(rows_max) {
        let finding = &suppressed.finding;
        let mut line = vec![
            id(finding),
            Span::new(
                finding.severity.lower_name(),
                Style::Severity(finding.severity),
            ),
            short(&finding.package_name, Style::Bold),
            Span::plain(&finding.installed_version),
        ];
        if !finding.package_path.is_empty() {
            let path = format!("in {}:", finding.package_path);
            line.extend(Span::words(&path, Style::Plain));
        }
        line.extend(Span::words(&words::suppression(suppressed), Style::Plain));
        canvas.paragraph("  ", &line)?;
    }
    more(findings.len().saturating_sub(rows_max), "--full", canvas)
}

/// Writes what exceptions cover, a line each, which is cut at the width: `--show-suppressed` has the
/// whole.
pub(super) fn excepted(
    findings: &[&SuppressedFinding],
    choices: Choices<'_>,
    canvas: &mut Canvas<'_>,
) -> io::Result<()> {
    let rows_max = choices.rows_max(EXCEPTED_MAX);
    let mut left = findings.len();
    let same = findings.chunk_by(|a, b| excepted::is_same(a, b));
    for group in same.take(rows_max) {
        let Some(suppressed) = group.first() else {
            continue;
        };
        left -= group.len();
        let name = short(&suppressed.finding.package_name, Style::Bold);
        let name = match group.len() {
            1 => name.with_text(&format!("{}:", name.text)),
            places => name.with_text(&format!("{} (×{places}):", name.text)),
        };
        let id = id(&suppressed.finding);
        // The paragraph is indented by two, and two more where it goes on.
        let said = 4 + id.width() + 1 + name.width() + 1;
        let reason = Span::plain(&suppressed.reason());
        let room = canvas.width.saturating_sub(said).max(REASON_WIDTH_MIN);
        let reason = reason.with_text(&text::truncate(&reason.text, room));
        canvas.paragraph("  ", &[id, name, reason])?;
    }
    more(left, "--show-suppressed", canvas)
}

/// Says how many are left out, and which flag shows all.
fn more(count: usize, flag: &str, canvas: &mut Canvas<'_>) -> io::Result<()> {
    if count == 0 {
        return Ok(());
    }
    let note = format!("… {count} more ({flag} shows all)");
    canvas.note("  ", &note, Style::Dim)
}

/// Writes all packages.
pub(super) fn installed(
    packages: &[Package],
    layers: &Layers<'_>,
    canvas: &mut Canvas<'_>,
) -> io::Result<()> {
    let columns = [
        Column::text("PACKAGE", 14, 60),
        Column::text("VERSION", 10, 40),
        Column {
            at_right: true,
            ..Column::text("LAYER", 5, 5)
        },
    ];
    let rows: Vec<Row> = packages
        .iter()
        .map(|package| {
            let place = package.layer.as_ref().and_then(|layer| layers.find(layer));
            let mark = place
                .map(|(index, _)| format!("#{index}"))
                .unwrap_or_default();
            let cells = vec![
                Cell::of(short(&package.name, Style::Plain)),
                Cell::of(Span::plain(&package.installed_version())),
                Cell::of(Span::new(&mark, Style::Dim)),
            ];
            Row { cells, below: None }
        })
        .collect();
    layout::table(canvas, &columns, &rows)
}
