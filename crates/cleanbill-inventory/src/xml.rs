//! XML documents, element by element, without a tree and without recursion.
//!
//! Names are those without their namespace. Entities beyond the five that XML has are an error,
//! so nothing expands; document types are skipped. Comments and instructions leave no trace.

use std::borrow::Cow;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::QName;

use crate::extractor::ExtractError;

/// Elements within each other.
const DEPTH_MAX: usize = 1_000;
/// Elements of a document: each may become something that takes twenty times its size.
const ELEMENTS_MAX: usize = 1_000_000;

/// Reads the nodes of the first element of a document.
pub(crate) struct XmlReader<'a> {
    inner: quick_xml::Reader<&'a [u8]>,
    depth: usize,
    element_count: usize,
    is_done: bool,
}

/// Is one node.
enum Node<'a> {
    Start(Element<'a>),
    /// A piece of text; one text may come in several.
    Text(Cow<'a, str>),
    End,
}

/// Is the beginning of an element.
#[derive(Debug)]
pub(crate) struct Element<'a>(BytesStart<'a>);

/// Says why a document cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the XML is malformed at byte {position}: {reason}")]
pub(crate) struct XmlError {
    position: u64,
    reason: String,
}

impl From<XmlError> for ExtractError {
    fn from(error: XmlError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl<'a> XmlReader<'a> {
    /// Starts at the beginning of a document.
    ///
    /// # Errors
    ///
    /// It is not UTF-8, the only encoding that is read.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, XmlError> {
        let text = std::str::from_utf8(bytes).map_err(|error| XmlError {
            position: error.valid_up_to() as u64,
            reason: "it is not UTF-8".to_owned(),
        })?;
        let mut inner = quick_xml::Reader::from_str(text);
        inner.config_mut().expand_empty_elements = true;
        Ok(Self {
            inner,
            depth: 0,
            element_count: 0,
            is_done: false,
        })
    }

    /// Returns the first element; what stands before it is skipped.
    ///
    /// # Errors
    ///
    /// The document is malformed, or has no element.
    pub(crate) fn root(&mut self) -> Result<Element<'a>, XmlError> {
        loop {
            match self.next_node()? {
                Some(Node::Start(root)) => return Ok(root),
                Some(_) => {}
                None => return Err(self.error("it has no element".to_owned())),
            }
        }
    }

    /// Returns the next element inside the open one, and opens it; `None` closes the open one.
    ///
    /// # Errors
    ///
    /// The document is malformed, ends too early, or is nested too deeply.
    pub(crate) fn child(&mut self) -> Result<Option<Element<'a>>, XmlError> {
        loop {
            match self.next_node()? {
                Some(Node::Start(element)) => return Ok(Some(element)),
                Some(Node::Text(_)) => {}
                Some(Node::End) | None => return Ok(None),
            }
        }
    }

    /// Returns the text of the open element, without that of elements inside it, and closes it.
    ///
    /// # Errors
    ///
    /// As [`XmlReader::child`].
    pub(crate) fn text(&mut self) -> Result<String, XmlError> {
        let mut written = String::new();
        let outside = self.depth.saturating_sub(1);
        while let Some(node) = self.next_node()? {
            match node {
                Node::Text(text) if self.depth == outside + 1 => written.push_str(&text),
                Node::End if self.depth <= outside => break,
                _ => {}
            }
        }
        Ok(written)
    }

    /// Closes the open element, with all that is left in it.
    ///
    /// # Errors
    ///
    /// As [`XmlReader::child`].
    pub(crate) fn skip(&mut self) -> Result<(), XmlError> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            self.next_node()?;
        }
        Ok(())
    }

    /// Returns the next node; `None` behind the end of the first element.
    fn next_node(&mut self) -> Result<Option<Node<'a>>, XmlError> {
        while !self.is_done {
            let event = self.inner.read_event();
            let event = event.map_err(|error| self.error(error.to_string()))?;
            if let Some(node) = self.node(event)? {
                return Ok(Some(node));
            }
        }
        Ok(None)
    }

    fn node(&mut self, event: Event<'a>) -> Result<Option<Node<'a>>, XmlError> {
        Ok(match event {
            Event::Start(start) => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err(self.error("it is nested too deeply".to_owned()));
                }
                self.element_count += 1;
                if self.element_count > ELEMENTS_MAX {
                    return Err(self.error("it has too many elements".to_owned()));
                }
                Some(Node::Start(Element(start)))
            }
            Event::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                self.is_done = self.depth == 0;
                Some(Node::End)
            }
            Event::Text(text) if self.depth > 0 => Some(Node::Text(text.xml10_content())),
            Event::CData(text) if self.depth > 0 => Some(Node::Text(text.xml10_content())),
            Event::GeneralRef(reference) => Some(Node::Text(self.resolve(&reference)?)),
            Event::Eof => return Err(self.error("it ends too early".to_owned())),
            _ => None,
        })
    }

    fn resolve(&self, reference: &BytesRef<'_>) -> Result<Cow<'a, str>, XmlError> {
        let character = reference.resolve_char_ref();
        match character.map_err(|error| self.error(error.to_string()))? {
            Some(character) => Ok(Cow::Owned(character.to_string())),
            None => resolve_predefined_entity(&reference.xml10_content())
                .map(Cow::Borrowed)
                .ok_or_else(|| self.error("an entity is unknown".to_owned())),
        }
    }

    fn error(&self, reason: String) -> XmlError {
        XmlError {
            position: self.inner.buffer_position(),
            reason,
        }
    }
}

impl Element<'_> {
    /// Returns the name.
    pub(crate) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// Returns an attribute. Of several with one name the last counts.
    pub(crate) fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        self.attributes(|key| key.local_name().as_ref() == name)
            .last()
    }

    /// Returns the namespaces that the element declares, that of names without a prefix and others.
    pub(crate) fn namespaces(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.attributes(|key| key.as_namespace_binding().is_some())
    }

    fn attributes<'b>(
        &'b self,
        is_wanted: impl Fn(QName<'b>) -> bool,
    ) -> impl Iterator<Item = Cow<'b, str>> {
        let mut attributes = self.0.attributes();
        attributes.with_checks(false);
        let wanted = attributes
            .flatten()
            .filter(move |attribute| is_wanted(attribute.key));
        wanted.filter_map(|attribute| attribute.normalized_value(XmlVersion::Implicit1_0).ok())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Writes `<name id text>` for the root and each of its children.
    fn read(text: &str) -> Result<String, XmlError> {
        let mut reader = XmlReader::new(text.as_bytes())?;
        let mut written = format!("<{}>", reader.root()?.name());
        while let Some(element) = reader.child()? {
            let id = element.attribute("id").unwrap_or_default().into_owned();
            match element.name() {
                "skip" => reader.skip()?,
                name => written.push_str(&format!("<{name} {id} {}>", reader.text()?)),
            }
        }
        Ok(written)
    }

    #[test]
    fn the_first_element_is_read_and_what_follows_is_not() {
        for (text, expected) in [
            ("<?xml version='1.0'?><!DOCTYPE a><!-- x --><a/>b", "<a>"),
            (
                "\u{feff}<a>x<x:b y:id='&lt;1' id=\"2\"/>y<c>&amp;&#65;<d>no</d><![CDATA[<]]></c>\
                 <skip><b><c/></b>x</skip><e/></a><",
                "<a><b 2 ><c  &A<><e  >",
            ),
        ] {
            assert_eq!(read(text).unwrap(), expected);
        }
    }

    #[test]
    fn malformed_documents_are_refused() {
        for text in [
            "",
            "x",
            "<a>",
            "<a></b>",
            "</a>",
            "<a><b>&x;</b></a>",
            "<a>&#xffffffff;</a>",
            "<a",
            "<a b></a",
            "<a><skip>",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(XmlReader::new(b"\xff\xfe<\x00").is_err());
        assert!(read(&"<a>".repeat(2_000)).is_err());
        let many = format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX));
        assert!(read(&many).unwrap_err().reason.contains("too many"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn any_text_is_accepted_or_refused(text in "<a>(<([ab]|skip)( id='?&?[a-z;]{0,3}'?)?/?>|</([ab]|skip)>|&[a-z#0-9]{0,3};?|<!\\[CDATA\\[|\\]\\]>|<!--|-->|<\\?|x){0,12}") {
            let _ = read(&text);
        }
    }
}
