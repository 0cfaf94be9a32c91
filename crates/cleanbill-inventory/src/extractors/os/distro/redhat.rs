//! `*-release` files of Red Hat's family: `<product> release <version> …`.

use super::Statement;
use crate::extractor::{ExtractError, FileInput};
use crate::lines::{Lines, text};

const CENTOS: &[&str] = &["centos", "centos linux"];
const ROCKY: &[&str] = &["rocky", "rocky linux"];
const ALMA: &[&str] = &["alma", "almalinux", "alma linux"];
const ORACLE: &[&str] = &["oracle", "oracle linux", "oracle linux server"];
const FEDORA: &[&str] = &["fedora", "fedora linux"];

/// Reads the first line of the file that all of them have; an unknown product counts as Red Hat.
pub(super) fn redhat_release(file: &mut FileInput<'_>) -> Result<Option<Statement>, ExtractError> {
    Ok(first_release(file)?.map(|release| {
        let families = [
            (CENTOS, "centos"),
            (ROCKY, "rocky"),
            (ALMA, "alma"),
            (ORACLE, "oracle"),
            (FEDORA, "fedora"),
        ];
        let family = families
            .iter()
            .find(|(products, _)| products.contains(&release.product.as_str()))
            .map_or("redhat", |(_, family)| family);
        Statement::new(family, release.version)
    }))
}

pub(super) fn centos_release(file: &mut FileInput<'_>) -> Result<Option<Statement>, ExtractError> {
    own_release(file, "centos", CENTOS)
}

pub(super) fn rocky_release(file: &mut FileInput<'_>) -> Result<Option<Statement>, ExtractError> {
    own_release(file, "rocky", ROCKY)
}

pub(super) fn almalinux_release(
    file: &mut FileInput<'_>,
) -> Result<Option<Statement>, ExtractError> {
    own_release(file, "alma", ALMA)
}

pub(super) fn fedora_release(file: &mut FileInput<'_>) -> Result<Option<Statement>, ExtractError> {
    own_release(file, "fedora", FEDORA)
}

/// Reads the first line, whatever the product.
pub(super) fn oracle_release(file: &mut FileInput<'_>) -> Result<Option<Statement>, ExtractError> {
    Ok(first_release(file)?.map(|release| Statement::new("oracle", release.version)))
}

/// Finds the first line that names one of the products; a line of another form before it makes
/// the file say nothing.
fn own_release(
    file: &mut FileInput<'_>,
    family: &str,
    products: &[&str],
) -> Result<Option<Statement>, ExtractError> {
    let mut lines = Lines::new(file);
    while let Some(line) = lines.next()? {
        let Some(release) = Release::parse(&text(line)) else {
            return Ok(None);
        };
        if products.contains(&release.product.as_str()) {
            return Ok(Some(Statement::new(family, release.version)));
        }
    }
    Ok(None)
}

fn first_release(file: &mut FileInput<'_>) -> Result<Option<Release>, ExtractError> {
    let mut lines = Lines::new(file);
    let line = lines.next()?;
    Ok(line.and_then(|line| Release::parse(&text(line))))
}

/// What a line says.
struct Release {
    /// In lower case.
    product: String,
    version: String,
}

impl Release {
    /// Splits at the last ` release ` that a digit follows.
    fn parse(line: &str) -> Option<Self> {
        const WORD: &str = " release ";
        let line = line.trim();
        let (product, rest) = line.rmatch_indices(WORD).find_map(|(at, _)| {
            let (product, rest) = line.split_at_checked(at)?;
            let rest = rest.strip_prefix(WORD)?;
            rest.starts_with(|first: char| first.is_ascii_digit())
                .then_some((product, rest))
        })?;
        let is_other = |c: char| !c.is_ascii_digit() && c != '.';
        let version = rest.split(is_other).next().unwrap_or(rest);
        Some(Self {
            product: product.to_lowercase(),
            version: version.to_owned(),
        })
    }
}
