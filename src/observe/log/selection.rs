//! The first part of `-Xlog`: `gc*=debug,class+load`.

use super::tags::{MAX_TAGS, TAGS, TAG_SETS};
use super::Level;
use crate::options::similarity;

/// One selection: tags, whether further tags are allowed, level.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    tags: Vec<&'static str>,
    wildcard: bool,
    level: Level,
}

/// The most selections one option can have.
const MAX_SELECTIONS: usize = 320;

fn fuzzy_level(text: &str) -> Option<Level> {
    let mut best = (None, 0.4);
    for level in &Level::ALL[1..] {
        let score = similarity(text, level.name());
        if score >= best.1 {
            best = (Some(*level), score);
        }
    }
    best.0
}

fn fuzzy_tag(text: &str) -> Option<&'static str> {
    let mut best = (None, 0.5);
    for tag in TAGS {
        let score = similarity(tag, text);
        if score >= best.1 {
            best = (Some(*tag), score);
        }
    }
    best.0
}

fn invalid(what: &str, text: &str, suggestion: Option<&str>) -> String {
    let mut line = format!("Invalid {what} '{text}' in log selection.");
    if let Some(suggestion) = suggestion {
        line += &format!(" Did you mean '{suggestion}'?");
    }
    line
}

impl Selection {
    pub(super) fn new(tags: Vec<&'static str>, wildcard: bool, level: Level) -> Selection {
        Selection { tags, wildcard, level }
    }

    fn parse(text: &str) -> Result<Selection, String> {
        let (expression, level) = match text.split_once('=') {
            None => (text, Level::Info),
            Some((expression, name)) => {
                let level = Level::from_name(name)
                    .ok_or_else(|| invalid("level", name, fuzzy_level(name).map(Level::name)))?;
                (expression, level)
            }
        };
        if expression == "all" {
            return Ok(Selection::new(Vec::new(), true, level));
        }
        // An asterisk anywhere but at the end is part of a tag's name, and no tag has one.
        let (expression, wildcard) = match expression.find('*') {
            Some(at) if at + 1 == expression.len() => (&expression[..at], true),
            _ => (expression, false),
        };
        let mut tags: Vec<&'static str> = Vec::new();
        for name in expression.split('+') {
            let tag = TAGS.iter().find(|tag| tag.eq_ignore_ascii_case(name));
            let tag = tag.ok_or_else(|| invalid("tag", name, fuzzy_tag(name)))?;
            if tags.len() == MAX_TAGS {
                return Err(format!(
                    "Too many tags in log selection '{}' (can only have up to {MAX_TAGS} tags).",
                    tags[0]
                ));
            }
            tags.push(tag);
        }
        let duplicate = tags.iter().enumerate().find(|(n, tag)| {
            tags.iter().enumerate().any(|(other, same)| *n != other && *tag == same)
        });
        if let Some((_, tag)) = duplicate {
            return Err(format!("Log selection contains duplicates of tag {tag}."));
        }
        Ok(Selection::new(tags, wildcard, level))
    }

    fn selects(&self, set: &[&str]) -> bool {
        (self.wildcard || self.tags.len() == set.len()) && self.tags.iter().all(|t| set.contains(t))
    }

    fn sets_selected(&self) -> usize {
        TAG_SETS.iter().filter(|set| self.selects(set)).count()
    }

    fn describe(&self) -> String {
        format!("{}{}", self.tags.join("+"), if self.wildcard { "*" } else { "" })
    }

    /// The Sørensen–Dice coefficient of the two tag lists.
    fn similarity(&self, other: &Selection) -> f64 {
        let common = self.tags.iter().filter(|tag| other.tags.contains(tag)).count();
        2.0 * common as f64 / (self.tags.len() + other.tags.len()) as f64
    }

    /// Up to five selections that match something and are like this one, best first.
    fn suggestions(&self) -> Vec<Selection> {
        const CAP: usize = 5;
        let mut found: Vec<Selection> = Vec::new();
        if !self.wildcard {
            let with_wildcard = Selection::new(self.tags.clone(), true, self.level);
            if with_wildcard.sets_selected() > 0 {
                found.push(with_wildcard);
            }
        }
        for set in TAG_SETS {
            let mut candidate = Selection::new(set.to_vec(), true, self.level);
            if candidate.sets_selected() == 1 {
                candidate.wildcard = false;
            }
            let score = self.similarity(&candidate);
            if score < 0.3 {
                continue;
            }
            if found.len() < CAP {
                found.push(candidate);
                continue;
            }
            let (mut least, mut position) = (1.0, None);
            for (n, suggestion) in found.iter().enumerate() {
                let other = self.similarity(suggestion);
                if other < least {
                    (least, position) = (other, Some(n));
                }
            }
            if let Some(position) = position.filter(|_| score > least) {
                found[position] = candidate;
            }
        }
        found.sort_by(|a, b| {
            self.similarity(b)
                .total_cmp(&self.similarity(a))
                .then(a.tags.len().cmp(&b.tags.len()))
                .then(b.sets_selected().cmp(&a.sets_selected()))
        });
        found
    }
}

/// The selections of one option; the last that selects a set decides its level.
#[derive(Clone, Debug)]
pub(super) struct SelectionList(Vec<Selection>);

impl SelectionList {
    pub(super) fn one(selection: Selection) -> SelectionList {
        SelectionList(vec![selection])
    }

    /// Parses a comma-separated list; empty means `all`. The error is HotSpot's line.
    pub(super) fn parse(text: &str) -> Result<SelectionList, String> {
        let text = if text.is_empty() { "all" } else { text };
        let mut selections = Vec::new();
        for part in text.split(',') {
            if selections.len() == MAX_SELECTIONS {
                return Err(format!(
                    "Can not have more than {MAX_SELECTIONS} log selections in a single configuration."
                ));
            }
            selections.push(Selection::parse(part)?);
        }
        Ok(SelectionList(selections))
    }

    /// The level that tag set number `set` gets; `None` if no selection mentions it.
    pub(super) fn level_for(&self, set: usize) -> Option<Level> {
        self.0.iter().rev().find(|s| s.selects(TAG_SETS[set])).map(|s| s.level)
    }

    /// One line for each selection that matches no tag set.
    pub(super) fn unmatched(&self) -> Vec<String> {
        let lines = self.0.iter().filter(|selection| selection.sets_selected() == 0);
        lines
            .map(|selection| {
                let mut line =
                    format!("No tag set matches selection: {}. ", selection.describe());
                let suggestions = selection.suggestions();
                if !suggestions.is_empty() {
                    line += "Did you mean any of the following?";
                    for suggestion in suggestions {
                        line += &format!(" {}", suggestion.describe());
                    }
                }
                line
            })
            .collect()
    }
}
