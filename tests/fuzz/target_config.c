/* settings.ini of a broker and of a node: read, or refused with file and line. */
#include "base/config.h"

#include "base/process/process.h"
#include "broker/daemon/settings.h"
#include "client/library/settings.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length) {
  struct fuzz_input input = fuzz_begin(data, length);
  bool broker = fuzz_byte(&input) & 1;
  const struct setting *table = broker ? broker_settings : node_settings;
  size_t count = broker ? BROKER_SETTING_COUNT : NODE_SETTING_COUNT;
  struct bytes text = fuzz_rest(&input);
  struct collega_error error;
  struct config *config = NULL;
  char path[128];
  error_clear(&error);
  fuzz_must(path_join(path, sizeof path, fuzz_directory(), "settings.ini", &error) == COLLEGA_OK);
  fuzz_must(file_write(path, text.data, text.length, 0600, &error) == COLLEGA_OK);
  if (config_load(path, table, count, &config, &error) != COLLEGA_OK) {
    fuzz_must(config == NULL);
    fuzz_check_error(&error);
    return 0;
  }
  for (size_t i = 0; i < count; i++) {
    fuzz_must(config_text(config, table[i].name) != NULL);
    if (table[i].kind == SETTING_TEXT) continue;
    int64_t number = config_number(config, table[i].name);
    if (table[i].kind == SETTING_NUMBER)
      fuzz_must(number >= table[i].min && number <= table[i].max);
    else
      fuzz_must(number == 0 || number == 1);
  }
  config_destroy(&config);
  return 0;
}
