// What the environment variables say, or what is wrong with them.
#pragma once

#include <stdexcept>
#include <string>

namespace trackcore {

/// An environment variable holds what it may not: which one, what came, what was expected.
class EnvironmentError : public std::runtime_error {
  public:
    EnvironmentError(const std::string& name, const std::string& value, const std::string& expected)
        : std::runtime_error(name + "=" + value + ": " + expected) {}
};

}  // namespace trackcore
