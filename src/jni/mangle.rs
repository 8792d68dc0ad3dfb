//! Names of native functions (JNI specification, "Resolving Native Method Names").

use crate::classfile::mutf8;
use crate::meta::symbol::Symbol;

/// `Java_` + class + `_` + method, escaped. `None` for names that would collide with an escape
/// (a digit 0 to 3 after a separator), which no library can define.
pub fn short_name(class: Symbol, method: Symbol) -> Option<String> {
    let mut out = String::from("Java_");
    escape(class.as_bytes(), &mut out)?;
    out.push('_');
    escape(method.as_bytes(), &mut out)?;
    Some(out)
}

/// What overloaded methods have after the short name: `__` + the escaped parameters.
pub fn long_suffix(descriptor: Symbol) -> Option<String> {
    let bytes = descriptor.as_bytes();
    let end = bytes.iter().position(|&b| b == b')').unwrap_or(bytes.len());
    let mut out = String::from("__");
    escape(bytes.get(1..end).unwrap_or(&[]), &mut out)?;
    Some(out)
}

fn escape(name: &[u8], out: &mut String) -> Option<()> {
    // What follows a separator must not read as an escape.
    let mut after_separator = true;
    for unit in mutf8::utf16(name) {
        let c = u8::try_from(unit).unwrap_or(0);
        if c.is_ascii_alphanumeric() {
            if after_separator && (b'0'..=b'3').contains(&c) {
                return None;
            }
            out.push(c as char);
            after_separator = false;
            continue;
        }
        after_separator = c == b'/';
        match c {
            b'/' => out.push('_'),
            b'_' => out.push_str("_1"),
            b';' => out.push_str("_2"),
            b'[' => out.push_str("_3"),
            _ => out.push_str(&format!("_0{unit:04x}")),
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(class: &str, method: &str) -> Option<String> {
        short_name(Symbol::intern(&mutf8::from_str(class)), Symbol::intern(&mutf8::from_str(method)))
    }

    #[test]
    fn escapes() {
        assert_eq!(short("java/lang/Object", "hashCode").as_deref(), Some("Java_java_lang_Object_hashCode"));
        assert_eq!(short("p/My_Class$In", "a_b").as_deref(), Some("Java_p_My_1Class_00024In_a_1b"));
        assert_eq!(short("p/Größe", "x").as_deref(), Some("Java_p_Gr_000f6_000dfe_x"));
        assert_eq!(short("p/C", "\u{1f600}").as_deref(), Some("Java_p_C__0d83d_0de00"));
        let long = long_suffix(Symbol::of("(I[[Ljava/lang/String;J)V"));
        assert_eq!(long.as_deref(), Some("__I_3_3Ljava_lang_String_2J"));
        assert_eq!(long_suffix(Symbol::of("()V")).as_deref(), Some("__"));
    }

    #[test]
    fn names_that_read_as_escapes_are_rejected() {
        assert_eq!(short("p/1Class", "x"), None);
        assert_eq!(short("p/C", "2x"), None);
        assert_eq!(short("p/C", "4x").as_deref(), Some("Java_p_C_4x"));
        assert_eq!(short("p/C", "x1").as_deref(), Some("Java_p_C_x1"));
        assert_eq!(short("p/_1", "x").as_deref(), Some("Java_p__11_x"));
    }
}
