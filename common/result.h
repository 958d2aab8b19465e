// Result<T>: the outcome of whatever may fail in a correct program (network, disk, input).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace capstan {

// A code exists only where some caller reacts differently to it.
enum class ErrorCode {
  kInvalid,      // the input is wrong and stays wrong: tell the user
  kNotFound,     // the named thing does not exist
  kIo,           // disk or socket refused; may work later
  kNoSpace,      // disk is full
  kCorrupt,      // bytes do not match their checksum or format
  kTimeout,      // no answer in time: it MAY have happened
  kStale,        // the sender's shard map is old: fetch the new one and ask again
  kBusy,         // a queue is full: try later, nothing was done
  kRefused,      // the peer does not accept us (other job, other protocol version)
  kUnavailable,  // the peer is not there
  kTaken,        // another process holds the name
  kCancelled,    // stopped on request
};

std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code;
  std::string message;

  // The same error with what was attempted put in front: "read manifest: no such file".
  [[nodiscard]] Error wrap(std::string_view attempted) const;
};

struct Ok {};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok().
  T& value() & { return std::get<T>(state_); }
  const T& value() const& { return std::get<T>(state_); }
  T&& value() && { return std::get<T>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // REQUIRES: !ok().
  const Error& error() const { return std::get<Error>(state_); }

  Result wrap(std::string_view attempted) && {
    return ok() ? std::move(*this) : Result(error().wrap(attempted));
  }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<Ok>;

inline Status ok_status() {
  return Ok{};
}

// An error with a ready-made message; build it with fmt::format.
Error make_error(ErrorCode code, std::string message);

}  // namespace capstan

#define CAPSTAN_CONCAT_(a, b) a##b
#define CAPSTAN_CONCAT(a, b) CAPSTAN_CONCAT_(a, b)

// Returns the error of `expression` from the enclosing function; goes on when it is ok.
#define CAPSTAN_TRY(expression)                                 \
  do {                                                          \
    if (auto capstan_try_ = (expression); !capstan_try_.ok()) { \
      return capstan_try_.error();                              \
    }                                                           \
  } while (false)

// CAPSTAN_ASSIGN(auto bytes, files.read(path)); returns the error, else assigns the value.
#define CAPSTAN_ASSIGN(declaration, expression) \
  CAPSTAN_ASSIGN_(CAPSTAN_CONCAT(capstan_result_, __LINE__), declaration, expression)
#define CAPSTAN_ASSIGN_(result, declaration, expression) \
  auto result = (expression);                            \
  if (!result.ok()) return result.error();               \
  declaration = std::move(result).value()
