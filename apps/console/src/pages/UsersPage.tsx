// Users: who may enter, as what, and when they last did.

import {
  Anchor,
  Button,
  Group,
  Modal,
  PasswordInput,
  Select,
  Stack,
  Switch,
  Table,
  Text,
  TextInput,
} from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { newPasswordSchema, roleSchema, type Role, type User, type UserPatch } from '#contract';
import { calls } from '../api/calls.js';
import { useSession } from '../api/use-session.js';
import { formatMoment } from '../format.js';
import { Fault } from '../shell/Fault.js';
import { Page } from '../shell/Page.js';
import classes from './Pages.module.css';

const ROLE_WORDS: Record<Role, string> = {
  admin: 'Administrator: everything',
  operator: 'Operator: watches, steers, exports',
  viewer: 'Viewer: watches',
};
const ROLES = roleSchema.options.map((value) => ({ value, label: ROLE_WORDS[value] }));

export function UsersPage() {
  const session = useSession();
  const client = useQueryClient();
  const users = useQuery({ queryKey: ['users'], queryFn: calls.users });
  const [adding, setAdding] = useState(false);
  const [changing, setChanging] = useState<User>();
  const [deleting, setDeleting] = useState<User>();
  const renew = () => client.invalidateQueries({ queryKey: ['users'] });
  const disable = useMutation({
    mutationFn: (user: User) => calls.changeUser(user.id, { disabled: !user.disabled }),
    onSettled: renew,
  });
  const remove = useMutation({
    mutationFn: (user: User) => calls.deleteUser(user.id),
    onSuccess: () => {
      setDeleting(undefined);
      return renew();
    },
  });
  const self = session.me?.user.id;
  return (
    <Page
      title="Users"
      name="Users"
      tools={
        <Button
          leftSection={<IconPlus size={15} />}
          onClick={() => setAdding(true)}
          data-testid="user-add"
        >
          Add a user
        </Button>
      }
    >
      <Fault
        error={users.error}
        title="The users cannot be listed"
        onRetry={() => void users.refetch()}
      />
      <Fault error={disable.error} title="Not changed" />
      {users.isSuccess && (
        <div className={classes.tableBox}>
          <Table className={classes.table}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>User</Table.Th>
                <Table.Th>Role</Table.Th>
                <Table.Th>Last sign-in</Table.Th>
                <Table.Th>Added</Table.Th>
                <Table.Th>May sign in</Table.Th>
                <Table.Th aria-label="Actions" />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {users.data.items.map((user) => (
                <Table.Tr key={user.id} data-testid="user-row">
                  <Table.Td fw={600}>
                    {user.username}
                    {user.id === self ? ' (you)' : ''}
                  </Table.Td>
                  <Table.Td>{ROLE_WORDS[user.role]}</Table.Td>
                  <Table.Td className={classes.dim}>
                    {user.lastLoginAt === undefined
                      ? 'never'
                      : formatMoment(Date.parse(user.lastLoginAt))}
                  </Table.Td>
                  <Table.Td className={classes.dim}>
                    {formatMoment(Date.parse(user.createdAt))}
                  </Table.Td>
                  <Table.Td>
                    <Switch
                      size="xs"
                      aria-label={`${user.username} may sign in`}
                      checked={!user.disabled}
                      disabled={user.id === self || disable.isPending}
                      onChange={() => disable.mutate(user)}
                    />
                  </Table.Td>
                  <Table.Td ta="right">
                    <Group gap="md" justify="flex-end" wrap="nowrap">
                      <Anchor component="button" size="sm" onClick={() => setChanging(user)}>
                        Change
                      </Anchor>
                      {user.id !== self && (
                        <Anchor
                          component="button"
                          size="sm"
                          c="dimmed"
                          onClick={() => setDeleting(user)}
                        >
                          Delete
                        </Anchor>
                      )}
                    </Group>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      <Modal opened={adding} onClose={() => setAdding(false)} title="Add a user" size={400}>
        {adding && <UserForm onDone={() => void renew().then(() => setAdding(false))} />}
      </Modal>
      <Modal
        opened={changing !== undefined}
        onClose={() => setChanging(undefined)}
        title={`Change ${changing?.username ?? ''}`}
        size={400}
      >
        {changing !== undefined && (
          <UserForm
            user={changing}
            roleFixed={changing.id === self}
            onDone={() => void renew().then(() => setChanging(undefined))}
          />
        )}
      </Modal>
      <Modal
        opened={deleting !== undefined}
        onClose={() => setDeleting(undefined)}
        title={`Delete ${deleting?.username ?? ''}?`}
        size={400}
      >
        <Text size="sm">
          They are signed out at once. What they did stays in the audit log. To keep the name,
          switch off “May sign in” instead.
        </Text>
        <Fault error={remove.error} title="Not deleted" />
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={() => setDeleting(undefined)} data-autofocus>
            Keep
          </Button>
          <Button
            color="red"
            loading={remove.isPending}
            onClick={() => {
              if (deleting !== undefined) remove.mutate(deleting);
            }}
          >
            Delete
          </Button>
        </Group>
      </Modal>
    </Page>
  );
}

interface UserFormProps {
  readonly user?: User;
  /** Nobody takes their own role away by accident. */
  readonly roleFixed?: boolean;
  onDone(): void;
}

function UserForm({ user, roleFixed = false, onDone }: UserFormProps) {
  const [username, setUsername] = useState(user?.username ?? '');
  const [role, setRole] = useState<Role>(user?.role ?? 'viewer');
  const [password, setPassword] = useState('');
  const short = password !== '' && !newPasswordSchema.safeParse(password).success;
  const save = useMutation({
    mutationFn: () => {
      if (user === undefined) return calls.addUser({ username: username.trim(), password, role });
      const patch: UserPatch = {
        ...(role === user.role ? {} : { role }),
        ...(password === '' ? {} : { password }),
      };
      return calls.changeUser(user.id, patch);
    },
    onSuccess: onDone,
  });
  const ready =
    user === undefined
      ? username.trim() !== '' && password !== ''
      : password !== '' || role !== user.role;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Stack gap="sm">
        {user === undefined && (
          <TextInput
            label="User name"
            autoComplete="off"
            data-autofocus
            value={username}
            onChange={(change) => setUsername(change.currentTarget.value)}
            data-testid="user-name"
          />
        )}
        <Select
          label="Role"
          allowDeselect={false}
          disabled={roleFixed}
          data={ROLES}
          value={role}
          onChange={(value) => {
            const parsed = roleSchema.safeParse(value);
            if (parsed.success) setRole(parsed.data);
          }}
        />
        <PasswordInput
          label={user === undefined ? 'Password' : 'New password'}
          description={
            user === undefined ? 'At least 8 characters.' : 'Leave empty to keep the present one.'
          }
          autoComplete="new-password"
          value={password}
          onChange={(change) => setPassword(change.currentTarget.value)}
          error={short ? 'At least 8 characters' : undefined}
          data-testid="user-password"
        />
        <Fault error={save.error} title="Not saved" />
        <Button
          type="submit"
          size="sm"
          loading={save.isPending}
          disabled={!ready || short}
          data-testid="user-save"
        >
          {user === undefined ? 'Add the user' : 'Save'}
        </Button>
      </Stack>
    </form>
  );
}
