#include "ps/table/row_layout.h"

namespace capstan {

RowLayout::RowLayout(const TableSpec& spec, std::uint32_t state_floats)
    : dim_(spec.dim),
      dtype_(spec.dtype),
      weight_bytes_(values_bytes(dtype_, dim_)),
      state_floats_(state_floats),
      has_seconds_(spec.ttl_seconds > 0),
      meta_(state_floats_ * sizeof(float)),
      row_bytes_(weight_bytes_ + meta_ + (has_seconds_ ? 8 : 4)) {}

}  // namespace capstan
