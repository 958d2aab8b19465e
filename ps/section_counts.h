// How many keys and floats the sections of a slice stand for.
#pragma once

#include <cstddef>
#include <span>

#include "common/message.h"
#include "common/table_spec.h"

namespace capstan {

struct SectionCounts {
  std::size_t keys = 0, floats = 0;

  void add(const Section& section, const TableSpec& spec) {
    keys += section.count;
    floats += std::size_t{section.count} * spec.dim;
  }
};

// REQUIRES: every section is of a table in `specs`.
inline SectionCounts counts_of(std::span<const Section> sections, std::span<const TableSpec> specs) {
  SectionCounts counts;
  for (const Section& section : sections) counts.add(section, specs[section.table]);
  return counts;
}

}  // namespace capstan
