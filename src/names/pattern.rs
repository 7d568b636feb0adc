//! Patterns of names: a text in which `*` stands for any characters.

/// A pattern: `*` stands for any number of any characters, everything else for itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern(String);

impl Pattern {
    /// A pattern as it is written.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has no `*`, so that it matches one text only.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// Whether a text matches as a whole. Takes at most time of the product of both lengths.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return self.0 == text };
        let Some(mut text) = text.strip_prefix(first) else { return false };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        // The earliest place of each part leaves the most text for the parts after it.
        for part in middle.split('*').filter(|part| !part.is_empty()) {
            let Some(at) = text.find(part) else { return false };
            text = &text[at + part.len()..];
        }
        text.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, matching, other) in [
            ("team-a", &["team-a"][..], &["team-ab", "xteam-a", "Team-a", ""][..]),
            ("team-*", &["team-", "team-a", "team-a*"], &["team", "xteam-a"]),
            ("*-prod", &["-prod", "a-prod", "-prod-prod"], &["prod", "a-prod-"]),
            ("*", &["", "x"], &[]),
            ("a*b*c", &["abc", "axbxc", "abbcc", "abcbc"], &["ab", "acb", "bc", "abcx"]),
            ("a**a", &["aa", "axa"], &["a", "ab"]),
            ("ab*ba", &["abba", "abxba"], &["aba"]),
            ("*ä*", &["ä", "xäx"], &["a"]),
        ] {
            let pattern = Pattern::new(pattern);
            assert!(matching.iter().all(|text| pattern.matches(text)), "{pattern:?}");
            assert!(!other.iter().any(|text| pattern.matches(text)), "{pattern:?}");
        }
    }
}
