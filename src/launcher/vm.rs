//! Finds Kiln's `libjvm.so`.

use std::path::{Path, PathBuf};

/// The file name that `libjli` loads and that the JDK's natives were linked against.
const LIBJVM: &str = "libjvm.so";

/// The directory (absolute) that holds the `libjvm.so` to run: the one that `KILN_LIBJVM` names, else
/// the one beside the executable, else `../lib/server` from the executable.
///
/// # Errors
/// When there is none, a message that names the places looked at.
pub fn find_libjvm_dir() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("KILN_LIBJVM").filter(|v| !v.is_empty()) {
        let path = PathBuf::from(path);
        // A link to the file is followed: the VM would find itself at the end of it anyway.
        let file = path.canonicalize().map_err(|e| format!("KILN_LIBJVM: {}: {e}", path.display()))?;
        return match file.file_name() == Some(LIBJVM.as_ref()) {
            true => Ok(parent_of(&file).to_path_buf()),
            false => Err(format!("KILN_LIBJVM leads to {}, which is not called {LIBJVM}", file.display())),
        };
    }
    let exe = std::env::current_exe().map_err(|e| format!("the path of this executable is not known: {e}"))?;
    let beside = parent_of(&exe);
    let candidates = [beside.to_path_buf(), beside.join("../lib/server")];
    for dir in &candidates {
        if dir.join(LIBJVM).is_file() {
            return dir.canonicalize().map_err(|e| format!("{}: {e}", dir.display()));
        }
    }
    Err(format!(
        "Kiln's {LIBJVM} is missing: it is neither in {} nor in {}, and KILN_LIBJVM is not set",
        candidates[0].display(),
        candidates[1].display()
    ))
}

/// The directory of a file; the root for the root.
fn parent_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}
