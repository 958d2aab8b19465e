#include "common/result.h"

namespace capstan {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return "invalid";
    case ErrorCode::kNotFound:
      return "not found";
    case ErrorCode::kIo:
      return "i/o";
    case ErrorCode::kNoSpace:
      return "no space";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kTimeout:
      return "timeout";
    case ErrorCode::kStale:
      return "stale";
    case ErrorCode::kBusy:
      return "busy";
    case ErrorCode::kRefused:
      return "refused";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kTaken:
      return "taken";
    case ErrorCode::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

Error Error::wrap(std::string_view attempted) const {
  return Error{code, std::string(attempted) + ": " + message};
}

Error make_error(ErrorCode code, std::string message) {
  return Error{code, std::move(message)};
}

}  // namespace capstan
