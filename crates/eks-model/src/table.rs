//! Tables of facts that are part of a program: tab-separated, `#` before comments, a header.

/// A table that does not hold what it should. Embedded ones do: tests read them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the table {table}, line {line}: {reason}")]
pub struct TableError {
    /// The table's name.
    pub table: &'static str,
    /// 1-based line.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// A row: its 1-based line, and its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'t, const N: usize> {
    /// The table's name.
    pub table: &'static str,
    /// 1-based line.
    pub line: usize,
    /// The columns.
    pub columns: [&'t str; N],
}

impl<const N: usize> Row<'_, N> {
    /// An error at this row.
    pub fn error(&self, reason: impl Into<String>) -> TableError {
        TableError { table: self.table, line: self.line, reason: reason.into() }
    }

    /// A column as a value.
    ///
    /// # Errors
    /// [`TableError`] when it does not parse.
    pub fn parse<T: std::str::FromStr>(&self, text: &str) -> Result<T, TableError> {
        text.parse().map_err(|_| self.error(format!("`{text}` is not what this column holds")))
    }

    /// A column as a value, or nothing where it is empty.
    ///
    /// # Errors
    /// [`TableError`] when it is not empty and does not parse.
    pub fn parse_some<T: std::str::FromStr>(&self, text: &str) -> Result<Option<T>, TableError> {
        if text.is_empty() { Ok(None) } else { self.parse(text).map(Some) }
    }
}

/// The rows of a table with data, each with so many columns: neither comments nor the header.
///
/// ```
/// let text = "# what it holds\nname\tyear\nEKS\t2018\n";
/// let rows: Vec<_> = eks_model::table::rows::<2>("example", text).collect::<Result<_, _>>()?;
/// assert_eq!((rows[0].line, rows[0].columns), (3, ["EKS", "2018"]));
/// # Ok::<(), eks_model::table::TableError>(())
/// ```
pub fn rows<'t, const N: usize>(
    table: &'static str,
    text: &'t str,
) -> impl Iterator<Item = Result<Row<'t, N>, TableError>> {
    text.lines().zip(1..).filter(|(text, _)| !text.starts_with('#') && !text.is_empty()).skip(1).map(
        move |(text, line)| {
            let mut columns = [""; N];
            let mut count = 0;
            for column in text.split('\t') {
                if let Some(place) = columns.get_mut(count) {
                    *place = column;
                }
                count += 1;
            }
            if count == N {
                Ok(Row { table, line, columns })
            } else {
                Err(TableError { table, line, reason: format!("there are {count} columns, not {N}") })
            }
        },
    )
}
