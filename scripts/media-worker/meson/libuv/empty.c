/* Stands where the bundled library would be linked whole. */
typedef int anteroom_empty;
