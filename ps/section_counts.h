// How many keys and how many values of rows or gradients the sections of a slice stand for.
#pragma once

#include <cstddef>
#include <span>

#include "common/message.h"
#include "common/table_spec.h"

namespace capstan {

struct SectionCounts {
  std::size_t keys = 0, floats = 0;
  std::size_t value_bytes = 0;  // as they travel

  void add(const Section& section, const TableSpec& spec) {
    keys += section.count;
    floats += std::size_t{section.count} * spec.dim;
    value_bytes += section_bytes(spec, section.count);
  }
};

// REQUIRES: every section is of a table in `specs`.
inline SectionCounts counts_of(std::span<const Section> sections, std::span<const TableSpec> specs) {
  SectionCounts counts;
  for (const Section& section : sections) counts.add(section, specs[section.table]);
  return counts;
}

}  // namespace capstan
