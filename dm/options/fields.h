/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables that parser, messages and help are made from: of the options, and of
 * the fields that the value of an option such as --net consists of,
 * "name=value" or "name" with commas between.
 */
#ifndef DM_FIELDS_H
#define DM_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct field - An option, or a field of one
 * @name:	Name; NULL ends a table
 * @value:	Placeholder of the value in the help; for field_choice() the
 *		values themselves, with '|' between; NULL if there is no value
 * @help:	What it is
 * @parse:	Checks @text and stores its meaning at @to. Returns 0; -EINVAL
 *		if it is wrong; another -errno with a message printed. Not
 *		needed without @value, as @to is a bool then.
 * @offset:	Place of @to in the structure that is filled in
 * @min:	Smallest number
 * @max:	Largest number, or the length of a text
 * @required:	It must be given
 * @fields:	Fields that the value consists of, for the help; or NULL
 */
struct field {
	const char *name;
	const char *value;
	const char *help;
	int (*parse)(const struct field *field, void *to, const char *text);
	size_t offset;
	unsigned int min;
	unsigned int max;
	bool required;
	const struct field *fields;
};

/**
 * struct field_table - A table, as the user sees it
 * @context:	Text that messages begin with
 * @dashes:	Text before each name
 * @separator:	Character between name and value
 * @fields:	At most 32
 */
struct field_table {
	const char *context;
	const char *dashes;
	char separator;
	const struct field *fields;
};

int field_text(const struct field *field, void *to, const char *text);
int field_number(const struct field *field, void *to, const char *text);
int field_choice(const struct field *field, void *to, const char *text);

int field_set(const struct field_table *table, const struct field *field,
	      void *object, const char *value);
int fields_check_required(const struct field_table *table, uint32_t given);
int fields_parse(const struct field_table *table, void *object,
		 const char *text);
void fields_print(const struct field_table *table, int indent);

#endif /* DM_FIELDS_H */
