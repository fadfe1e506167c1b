//! Small XML documents as trees: the bodies of S3 and of the query protocols.

use xmlparser::{ElementEnd, Token, Tokenizer};

/// An element with its children or its text, without attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// The local name.
    pub name: String,
    /// The attributes as written, such as ` xmlns="..."`.
    pub attributes: String,
    /// The elements in it.
    pub children: Vec<Element>,
    /// The text directly in it, with entities replaced; empty if it has children.
    pub text: String,
}

impl Element {
    /// Parses a document and returns its root.
    pub fn parse(text: &str) -> Result<Element, String> {
        let mut open = vec![Element::default()];
        for token in Tokenizer::from(text) {
            match token.map_err(|error| error.to_string())? {
                Token::ElementStart { local, .. } => open.push(Element {
                    name: local.to_string(),
                    ..Element::default()
                }),
                Token::Attribute { span, .. } => {
                    let element = open
                        .last_mut()
                        .ok_or("an attribute outside of an element")?;
                    element.attributes.push(' ');
                    element.attributes.push_str(span.as_str());
                }
                Token::ElementEnd { end, .. } if end != ElementEnd::Open => {
                    let mut element = open.pop().ok_or("an end without a start")?;
                    if !element.children.is_empty() {
                        element.text.clear();
                    }
                    let parent = open.last_mut().ok_or("an end without a start")?;
                    parent.children.push(element);
                }
                Token::Text { text } => {
                    let element = open.last_mut().ok_or("text outside of an element")?;
                    element.text.push_str(&with_characters(text.as_str()));
                }
                Token::Cdata { text, .. } => {
                    let element = open.last_mut().ok_or("text outside of an element")?;
                    element.text.push_str(text.as_str());
                }
                _ => {}
            }
        }
        let [document] = <[Element; 1]>::try_from(open).map_err(|_| "an element without an end")?;
        document
            .children
            .into_iter()
            .next()
            .ok_or_else(|| "no element".to_owned())
    }

    /// The children with this name.
    pub fn children_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The element as text, without an XML declaration.
    pub fn to_text(&self) -> String {
        let content = if self.children.is_empty() {
            self.text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
        } else {
            self.children.iter().map(Element::to_text).collect()
        };
        format!("<{0}{1}>{content}</{0}>", self.name, self.attributes)
    }
}

/// Replaces the entities of a text.
fn with_characters(text: &str) -> String {
    let mut parts = text.split('&');
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (entity, rest) = part.split_once(';').unwrap_or((part, ""));
        let number = entity.strip_prefix("#x").map_or_else(
            || {
                entity
                    .strip_prefix('#')
                    .and_then(|digits| digits.parse().ok())
            },
            |digits| u32::from_str_radix(digits, 16).ok(),
        );
        match entity {
            "amp" => replaced.push('&'),
            "lt" => replaced.push('<'),
            "gt" => replaced.push('>'),
            "quot" => replaced.push('"'),
            "apos" => replaced.push('\''),
            _ => replaced.extend(number.and_then(char::from_u32)),
        }
        replaced.push_str(rest);
    }
    replaced
}
