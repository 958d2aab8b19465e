#include "worker/data/bad_lines.h"

#include <spdlog/fmt/fmt.h>

#include <cerrno>
#include <cstring>

namespace capstan {
namespace {

constexpr std::string_view kKept = "(kept) ";

}  // namespace

BadLines::BadLines(std::uint64_t max, std::string reject_path)
    : max_(max), reject_path_(std::move(reject_path)) {}

Status BadLines::add(std::string_view where, std::string_view kind, std::string_view detail,
                     std::string_view text) {
  ++count_;
  Kind& of_kind = by_kind_[std::string(kind)];
  if (++of_kind.count == 1) of_kind.first = fmt::format("{}: {}", where, detail);
  if (!reject_path_.empty()) {
    CAPSTAN_TRY(open());
    const std::string line = fmt::format("{}\t{}\t{}\n", where, detail, text);
    if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size()) return failed();
    if (count_ > max_) std::fflush(file_.get());
  }
  if (count_ <= max_) return ok_status();
  return make_error(ErrorCode::kInvalid,
                    max_ == 0 ? fmt::format("{}: {}", where, detail)
                              : fmt::format("{}: {}; that is bad line {}, and max_bad_lines is {}", where,
                                            detail, count_, max_));
}

Status BadLines::close() {
  if (reject_path_.empty()) return ok_status();
  CAPSTAN_TRY(open());
  if (std::fclose(file_.release()) != 0) return failed();
  return ok_status();
}

std::string BadLines::reasons(const DropCounts& drops) const {
  std::string text;
  for (const auto& [kind, of_kind] : by_kind_)
    text += fmt::format("\n  {:>10}  bad line: {}, first {}", of_kind.count, kind, of_kind.first);
  for (const auto& [reason, count] : drops) {
    const bool kept = reason.starts_with(kKept);
    text += fmt::format("\n  {:>10}  {}{}", count,
                        kept ? "" : "dropped: ", kept ? reason.substr(kKept.size()) : reason);
  }
  return text;
}

Status BadLines::open() {
  if (file_ == nullptr) file_.reset(std::fopen(reject_path_.c_str(), "w"));
  if (file_ == nullptr) return failed();
  return ok_status();
}

Error BadLines::failed() const {
  return make_error(ErrorCode::kIo, fmt::format("reject file {}: {}", reject_path_, std::strerror(errno)));
}

}  // namespace capstan
