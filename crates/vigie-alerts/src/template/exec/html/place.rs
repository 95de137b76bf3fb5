//! Places in HTML.

/// A place in HTML.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) state: State,
    /// The end of the attribute's value.
    pub(super) delimiter: Delimiter,
    /// The part of the URL.
    pub(super) url: UrlPart,
    /// The kind of the attribute.
    pub(super) attribute: Attribute,
    /// The element whose tag or content this is, if its content is not HTML.
    pub(super) element: Element,
    /// The quote that ends a string of a style; a parenthesis ends an address.
    pub(super) quote: char,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Text,
    Tag,
    AttributeName,
    AfterName,
    BeforeValue,
    /// The value of an attribute without a special meaning.
    Attribute,
    Url,
    Srcset,
    /// The content of an element in which only references are read.
    RawText,
    Comment,
    Css,
    CssString,
    CssUrl,
    CssComment,
    CssLineComment,
    Script,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Delimiter {
    #[default]
    None,
    Double,
    Single,
    SpaceOrTagEnd,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum UrlPart {
    /// Nothing of it was written.
    #[default]
    Start,
    /// Before the query and the fragment.
    Path,
    /// In the query or the fragment.
    Query,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Attribute {
    #[default]
    Plain,
    Url,
    Style,
    Script,
    /// `type` of a `script`.
    ScriptType,
    Srcset,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Element {
    #[default]
    Other,
    Script,
    Style,
    Textarea,
    Title,
}

impl State {
    pub(super) fn is_comment(self) -> bool {
        matches!(
            self,
            Self::Comment | Self::CssComment | Self::CssLineComment
        )
    }

    /// The place in words.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Tag | Self::AttributeName | Self::AfterName | Self::BeforeValue => "a tag",
            Self::Attribute | Self::Url | Self::Srcset => "an attribute",
            Self::RawText => "a title or text area",
            Self::Comment => "a comment",
            Self::Script => "a script",
            Self::Css
            | Self::CssString
            | Self::CssUrl
            | Self::CssComment
            | Self::CssLineComment => "a style",
        }
    }
}

impl Element {
    pub(super) fn of(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "script" => Self::Script,
            "style" => Self::Style,
            "textarea" => Self::Textarea,
            "title" => Self::Title,
            _ => Self::Other,
        }
    }

    /// The name of the tag that ends the content.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Other => "",
            Self::Script => "script",
            Self::Style => "style",
            Self::Textarea => "textarea",
            Self::Title => "title",
        }
    }

    /// The state in the content.
    pub(super) fn content(self) -> State {
        match self {
            Self::Other => State::Text,
            Self::Script => State::Script,
            Self::Style => State::Css,
            Self::Textarea | Self::Title => State::RawText,
        }
    }
}

/// Attributes with addresses (`html/template/attr.go`).
const URLS: [&str; 23] = [
    "action",
    "archive",
    "background",
    "cite",
    "classid",
    "codebase",
    "data",
    "formaction",
    "href",
    "icon",
    "longdesc",
    "manifest",
    "ping",
    "poster",
    "profile",
    "src",
    "usemap",
    "xmlns",
    "itemid",
    "itemtype",
    "about",
    "resource",
    "vocab",
];

/// Attributes that Go treats as scripts, since a script or the browser's behaviour depends on them.
const UNSAFE: [&str; 17] = [
    "async",
    "challenge",
    "charset",
    "content",
    "crossorigin",
    "defer",
    "enctype",
    "form",
    "formenctype",
    "formmethod",
    "formnovalidate",
    "http-equiv",
    "keytype",
    "language",
    "method",
    "rel",
    "srcdoc",
];

impl Attribute {
    /// The kind of an attribute by its name.
    pub(super) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let plain = match name.strip_prefix("data-") {
            // `data-href` is an address too.
            Some(rest) => rest,
            None => match name.split_once(':') {
                Some(("xmlns", _)) => return Self::Url,
                Some((_, local)) => local,
                None => &name,
            },
        };
        match plain {
            "style" => Self::Style,
            "srcset" => Self::Srcset,
            plain if URLS.contains(&plain) => Self::Url,
            plain if UNSAFE.contains(&plain) => Self::Plain,
            plain if plain.starts_with("on") => Self::Script,
            plain
                if ["src", "uri", "url"]
                    .iter()
                    .any(|part| plain.contains(part)) =>
            {
                Self::Url
            }
            _ => Self::Plain,
        }
    }

    /// Whether a value may be the name: neither special nor one that changes the document's behaviour.
    pub(super) fn may_be_named(name: &str) -> bool {
        Self::of(name) == Self::Plain && !UNSAFE.contains(&name) && name != "type"
    }

    /// The state at the start of the value.
    pub(super) fn start(self) -> State {
        match self {
            Self::Plain | Self::ScriptType => State::Attribute,
            Self::Url => State::Url,
            Self::Style => State::Css,
            Self::Script => State::Script,
            Self::Srcset => State::Srcset,
        }
    }
}

impl Place {
    /// The place of a value that follows: an attribute's name in a tag, a value without quotes after `=`.
    pub(super) fn before_value(mut self) -> Self {
        match self.state {
            State::Tag => self.state = State::AttributeName,
            State::AfterName => {
                self.state = State::AttributeName;
                self.attribute = Attribute::Plain;
            }
            State::BeforeValue => {
                self.state = self.attribute.start();
                self.delimiter = Delimiter::SpaceOrTagEnd;
                self.attribute = Attribute::Plain;
            }
            _ => {}
        }
        self
    }
}
