/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Options whose value is a list of fields, "name=value" or "name", with commas
 * between. A table of struct field says which fields there are; parser,
 * messages and help are made from it.
 */
#ifndef DM_FIELDS_H
#define DM_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct field - A field of an option
 * @name:	Name; NULL ends a table
 * @value:	Placeholder of the value in the help; for field_choice() the
 *		values themselves, with '|' between; NULL if there is no value
 * @help:	What the field is
 * @parse:	Checks @text and stores its meaning at @to. Returns false if
 *		@text is refused. Not needed without @value, as the field is a
 *		bool then.
 * @offset:	Place in the structure that fields_parse() fills in
 * @min:	Smallest number
 * @max:	Largest number, or the length of a text
 * @required:	The field must be given
 */
struct field {
	const char *name;
	const char *value;
	const char *help;
	bool (*parse)(const struct field *field, void *to, const char *text);
	size_t offset;
	unsigned int min;
	unsigned int max;
	bool required;
};

bool field_text(const struct field *field, void *to, const char *text);
bool field_number(const struct field *field, void *to, const char *text);
bool field_choice(const struct field *field, void *to, const char *text);

int fields_parse(const char *option, const struct field *fields, void *object,
		 const char *text);
void fields_describe(const struct field *field, char *text, size_t size);

#endif /* DM_FIELDS_H */
