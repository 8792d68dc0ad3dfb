//! The main section of a jar's manifest.

/// The main attributes of `META-INF/MANIFEST.MF`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    attributes: Vec<(String, String)>,
}

impl Manifest {
    /// Reads the main section. Lines may end in CR LF, LF or CR, and go on in the next one if that
    /// begins with a space. Lines without a colon are passed over.
    pub fn parse(contents: &[u8]) -> Manifest {
        let mut lines: Vec<Vec<u8>> = Vec::new();
        let mut rest = contents;
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let (line, after) = match end {
                Some(end) if rest[end..].starts_with(b"\r\n") => (&rest[..end], &rest[end + 2..]),
                Some(end) => (&rest[..end], &rest[end + 1..]),
                None => (rest, &b""[..]),
            };
            rest = after;
            match (line, lines.last_mut()) {
                ([b' ', more @ ..], Some(last)) => last.extend_from_slice(more),
                // The main section ends at the first empty line.
                ([], _) => break,
                _ => lines.push(line.to_vec()),
            }
        }
        let attributes = lines.iter().filter_map(|line| {
            let line = String::from_utf8_lossy(line);
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned()))
        });
        Manifest { attributes: attributes.collect() }
    }

    /// The main attribute `name`, in any case; the last one if it is there twice.
    pub fn main_attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter().rev();
        attributes.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn continuation_lines_and_sections() {
        let manifest = Manifest::parse(
            b"Manifest-Version: 1.0\r\nMain-Class: a.very.long\r\n .name\r\nclass-path: x.jar \n  y.jar\rEmpty:\r\nnonsense\r\n\r\nName: a\r\nSealed: true\r\n",
        );
        assert_eq!(manifest.main_attribute("Main-Class"), Some("a.very.long.name"));
        assert_eq!(manifest.main_attribute("Class-Path"), Some("x.jar  y.jar"));
        assert_eq!(manifest.main_attribute("Empty"), Some(""));
        assert_eq!(manifest.main_attribute("Sealed"), None);
        assert_eq!(Manifest::parse(b""), Manifest::default());
    }
}
