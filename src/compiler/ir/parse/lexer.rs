//! Words, texts in quotes and signs of the textual form.

use std::iter::Peekable;
use std::str::CharIndices;

#[derive(Clone, PartialEq, Debug)]
pub enum Token<'a> {
    /// Letters, digits, `_` and `.`; numbers with their sign.
    Word(&'a str),
    /// What stood in quotes, without its escapes.
    Text(String),
    /// `( ) [ ] { } < > : , = ; @`.
    Sign(char),
    /// `->`.
    Arrow,
}

/// A token with its line, counted from 1.
pub type Placed<'a> = (usize, Token<'a>);

/// The tokens of `text`. What follows `//` is a comment.
///
/// # Errors
/// Line, and what is wrong with it.
pub fn tokens(text: &str) -> Result<Vec<Placed<'_>>, (usize, String)> {
    let mut out = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let n = n + 1;
        let mut chars = line.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|x| x.1);
            let token = match c {
                ' ' | '\t' | '\r' => continue,
                '/' if next == Some('/') => break,
                '-' if next == Some('>') => {
                    chars.next();
                    Token::Arrow
                }
                '"' => Token::Text(quoted(&mut chars).map_err(|e| (n, e))?),
                '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ':' | ',' | '=' | ';' | '@' => Token::Sign(c),
                c if is_word(c) || c == '-' && next.is_some_and(is_word) => {
                    while chars.next_if(|x| is_word(x.1)).is_some() {}
                    let end = chars.peek().map_or(line.len(), |x| x.0);
                    Token::Word(&line[at..end])
                }
                c => return Err((n, format!("{c:?} is not expected"))),
            };
            out.push((n, token));
        }
    }
    Ok(out)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.'
}

/// The rest of a text, as `{:?}` writes it.
fn quoted(chars: &mut Peekable<CharIndices<'_>>) -> Result<String, String> {
    let mut s = String::new();
    loop {
        let c = chars.next().ok_or("a text without end")?.1;
        match c {
            '"' => return Ok(s),
            '\\' => s.push(escape(chars)?),
            c => s.push(c),
        }
    }
}

fn escape(chars: &mut Peekable<CharIndices<'_>>) -> Result<char, String> {
    Ok(match chars.next().map(|x| x.1) {
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some('0') => '\0',
        Some(c @ ('\\' | '"' | '\'')) => c,
        Some('u') => {
            let digits: String = chars.map(|x| x.1).skip_while(|&c| c == '{').take_while(|&c| c != '}').collect();
            let code = u32::from_str_radix(&digits, 16).ok();
            code.and_then(char::from_u32).ok_or_else(|| format!("no character is \\u{{{digits}}}"))?
        }
        other => return Err(format!("no escape is {other:?}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        for s in ["", "a.b(Lx/Y;)[I", "\"\\ \n\t\r\0'", "ünïcode \u{7f} \u{200b} \u{10ffff}"] {
            assert_eq!(tokens(&format!("{s:?} x")).unwrap(), [(1, Token::Text(s.into())), (1, Token::Word("x"))]);
        }
    }

    #[test]
    fn signs_and_numbers() {
        let got: Vec<Token<'_>> = tokens("-> -12 0x1f // c\n;m0@3").unwrap().into_iter().map(|t| t.1).collect();
        use Token::*;
        assert_eq!(
            got,
            [Arrow, Word("-12"), Word("0x1f"), Sign(';'), Word("m0"), Sign('@'), Word("3")]
        );
        assert_eq!(tokens("x\n \"ab"), Err((2, "a text without end".into())));
        assert_eq!(tokens("b?3"), Err((1, "'?' is not expected".into())));
    }
}
