#include "ps/table/spec_check.h"

#include <spdlog/fmt/fmt.h>

#include <cmath>

#include "common/optimizer_check.h"

#include "ps/table/admission.h"

namespace capstan {
namespace {

Status check_rest(const TableSpec& spec) {
  const auto bad = [](std::string message) { return make_error(ErrorCode::kInvalid, std::move(message)); };
  if (spec.dim == 0 || spec.dim > kMaxDim)
    return bad(fmt::format("dim must be 1 to {}, is {}", kMaxDim, spec.dim));
  if (spec.init.kind < InitKind::kZero || spec.init.kind > InitKind::kHeNormal)
    return bad("unknown initialiser");
  if (!std::isfinite(spec.init.scale)) return bad("the initialiser's scale is not a number");
  if (spec.min_count > Admission::kMaxCount) {
    return bad(fmt::format("min_count is at most {}, is {}", Admission::kMaxCount, spec.min_count));
  }
  if (spec.ttl_seconds >= 1ULL << 31)
    return bad(fmt::format("ttl is below 68 years, is {} s", spec.ttl_seconds));
  if (!spec.dense) return ok_status();
  if (spec.num_rows == 0) return bad("a dense table needs num_rows");
  if (spec.min_count > 1 || spec.ttl_seconds > 0 || spec.max_rows > 0) {
    return bad("min_count, ttl and max_rows are for sparse tables");
  }
  return ok_status();
}

}  // namespace

Status check_table_spec(const TableSpec& spec) {
  const std::string where = fmt::format("table {}", spec.name);
  CAPSTAN_TRY(check_rest(spec).wrap(where));
  return check_optimizer_spec(spec.optimizer).wrap(where);
}

}  // namespace capstan
