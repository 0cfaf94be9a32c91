//! `.env` files in the dialects of Docker Compose and python-dotenv.

use std::path::Path;

use super::super::env_file::EnvFile;

fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
    let file = EnvFile::parse(text, Path::new(".env")).map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        texts.join("\n")
    })?;
    let pairs = file.lines.into_iter().map(|line| (line.name, line.value));
    Ok(pairs.collect())
}

/// Each line, and what both dialects make of it. Values were checked with python-dotenv 1.2.2 and
/// against the source of compose-go (`dotenv/parser.go`).
#[test]
fn what_both_dialects_agree_on() {
    for (line, expected) in [
        ("A=x", "x"),
        ("A=", ""),
        ("A=x y", "x y"),
        ("A=  x  ", "x"),
        ("A = x", "x"),
        ("  A=x", "x"),
        ("export A=x", "x"),
        ("export  A=x", "x"),
        ("A=x # why", "x"),
        ("A=x\t# why", "x"),
        ("A='x # y'", "x # y"),
        ("A=\"x # y\"", "x # y"),
        ("A='x' # why", "x"),
        ("A=\"x\"   ", "x"),
        ("A=''", ""),
        ("A=\"\"", ""),
        ("A='a\nb'", "a\nb"),
        ("A=\"a\nb\"", "a\nb"),
        ("A=\"a\\nb\"", "a\nb"),
        ("A=\"a\\rb\"", "a\rb"),
        ("A=\"say \\\"hi\\\"\"", "say \"hi\""),
        ("A=\"a\\\\b\"", "a\\b"),
        ("A=\"a\\qb\"", "a\\qb"),
        ("A=a\\nb", "a\\nb"),
        ("A=a\"b\"c", "a\"b\"c"),
        ("A=it's", "it's"),
        ("A=x=y", "x=y"),
        ("A=a,b", "a,b"),
        ("A='x$Y'", "x$Y"),
        ("A='ü'", "ü"),
        ("A=x\r\n", "x"),
        ("A='x'\r\n", "x"),
        ("\u{feff}A=x", "x"),
        ("# c\n\n \t\nA=x\n# d", "x"),
    ] {
        assert_eq!(
            parse(line),
            Ok(vec![("A".to_owned(), expected.to_owned())]),
            "{line:?}"
        );
    }
}

/// The lines of the module's table.
#[test]
fn where_dialects_differ_we_do_as_is_documented() {
    for (line, expected) in [
        ("A=x$Y", "x$Y"),
        ("A=\"x$Y\"", "x$Y"),
        ("A=${Y}", "${Y}"),
        ("A=$$", "$$"),
        ("A=\"x\\$y\"", "x$y"),
        ("A=\"a\\tb\"", "a\tb"),
        ("A='it\\'s'", "it's"),
        ("A='a\\\\b'", "a\\\\b"),
        ("A: x", "x"),
        ("A=x#y", "x#y"),
        ("A=#y", "#y"),
        ("A= # why", ""),
    ] {
        assert_eq!(
            parse(line),
            Ok(vec![("A".to_owned(), expected.to_owned())]),
            "{line:?}"
        );
    }
    assert_eq!(parse("A\nexport A\nA # b"), Ok(Vec::new()));
}

#[test]
fn wrong_lines_are_named_and_not_quoted() {
    for (text, expected) in [
        ("A=1\n=hunter2\n", ".env:2: expected NAME=value"),
        ("hunter2 hunter2\n", ".env:1: expected NAME=value"),
        ("1A=hunter2\n", ".env:1: expected NAME=value"),
        ("A='hunter2\n", ".env:1: the quote is not closed"),
        ("A=\"hunter2\\", ".env:1: the quote is not closed"),
        (
            "A=\"x\" hunter2\nB='\n",
            ".env:1: something stands behind the closing quote\n.env:2: the quote is not closed",
        ),
    ] {
        assert_eq!(parse(text), Err(expected.to_owned()), "{text:?}");
    }
}

#[test]
fn the_last_of_several_lines_counts_and_knows_its_number() {
    let text = "A=1\nB='x\ny'\nA=2\nB=\n";
    let file = EnvFile::parse(text, Path::new(".env")).unwrap();
    let a = file.get("A").unwrap();
    assert_eq!((a.value.as_str(), a.number), ("2", 4));
    assert_eq!(file.get("B"), None);
    assert_eq!(file.get("C"), None);
}

#[test]
fn no_text_makes_it_panic_or_hang() {
    let pieces = [
        "A", "=", ":", "'", "\"", "\\", "\n", "\r", " ", "#", "$", "ü", "export ", "\u{feff}", "\0",
    ];
    // Every text of four pieces.
    for number in 0..pieces.len().pow(4) {
        let text: String = (0..4)
            .map(|digit| pieces[number / pieces.len().pow(digit) % pieces.len()])
            .collect();
        let _ = parse(&text);
    }
}
