//! Prints rows of text as an aligned Markdown table, under a title that says how busy the machine was.

/// Prints a title with the load average, the heads and the rows, every column as wide as its
/// widest cell.
#[expect(clippy::print_stdout, reason = "this is what a benchmark is for")]
pub fn print<const N: usize>(title: &str, heads: [&str; N], rows: &[[String; N]]) {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("\n{title}; load average {}\n", load.trim());
    let heads = heads.map(str::to_owned);
    let mut widths = [0; N];
    for row in std::iter::once(&heads).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!(" {cell:<width$} |"));
        println!("|{}", cells.collect::<String>());
    };
    line(&heads);
    let dashes = widths.map(|width| format!("{:-<1$}|", "", width + 2));
    println!("|{}", dashes.concat());
    rows.iter().for_each(line);
}
