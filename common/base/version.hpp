#pragma once

namespace mysos {

/// "0.1.0 (<commit>)", what `--version` prints after the program's name.
extern const char* const version_text;

}  // namespace mysos
