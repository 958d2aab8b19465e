// Reading whole files to columns, in parallel over byte ranges; the result does not depend on the number of
// threads.
#pragma once

#include <span>
#include <string>

#include "common/result.h"
#include "worker/data/bad_lines.h"
#include "worker/data/raw_table.h"
#include "worker/data/readers/line_format.h"

namespace capstan {

// Rows in the order of the files and their lines. Lines of nothing but blanks are skipped. Every wanted
// column must be in every file (jsonl, libffm: in some line). kInvalid when more lines are bad than `bad`
// allows or no row is left.
Result<RawTable> read_files(std::span<const std::string> paths, const FileFormat& format, BadLines& bad);

// kInvalid when csv or tsv tables of one kind of rows have different columns: what one lacks would be missing
// from its rows without a word.
Status check_same_columns(const FileFormat& format, const RawTable& first, const RawTable& next);

// read_files() for a text at hand; `name` stands for the file in messages.
Result<RawTable> read_text(std::string_view text, const std::string& name, const FileFormat& format,
                           BadLines& bad, std::size_t ranges);

}  // namespace capstan
